import { globalSetup } from 'kubette/vitest';

export default globalSetup({ nodes: 1, objects: [new URL('../web.yaml', import.meta.url).pathname] });

import { installBundle } from './install-bundle.js';

/** The last step of the build: `main.js FROM TO`. */
const [from = '', to = ''] = process.argv.slice(2);
installBundle(from, to);

import { join } from 'node:path';
import { ROOT } from '../support/root.js';
import { bundleTests } from './bundle.js';

/** `join.js test/unit/a.test.ts …`: joins the modules of built tests, for `main.js` to run. */
await bundleTests(ROOT, process.argv.slice(2), join(ROOT, 'build/joined'));

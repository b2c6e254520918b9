import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generated } from './generated.js';

/* Writes what is made from the commands themselves: their reference, and the schema of `up --config`. */
for (const [file, text] of Object.entries(await generated())) writeFileSync(join(process.cwd(), file), text);

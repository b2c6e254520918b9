import { createInterface } from 'node:readline';
import { createSummary } from './summary.js';

// Whoever reads may have seen enough.
process.stdout.on('error', () => process.exit(1));

/** `tap -Rtap … | main.js`: a line for each file that passes, and everything about what does not. */
const summary = createSummary(text => process.stdout.write(`${text}\n`));
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) summary.line(line);
if (!summary.end()) process.exitCode = 1;

import { createInterface } from 'node:readline';
import { createSummary } from './summary.js';

// Whoever reads may have seen enough.
process.stdout.on('error', () => process.exit(1));

/** `… | main.js [--terse]`: reads TAP; a line for each file that passes, and everything about what does not, or only the latter. */
const terse = process.argv.includes('--terse');
const summary = createSummary(text => process.stdout.write(`${text}\n`), { terse });
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) summary.line(line);
if (!summary.end()) process.exitCode = 1;

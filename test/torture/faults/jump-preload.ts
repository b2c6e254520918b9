/**
 * For `node --import`: the clock of the process on the wall, not the one that durations are measured with, jumps by the milliseconds that the file
 * $CLOCK_JUMP says, whenever SIGUSR2 tells to look.
 */
import { readFileSync } from 'node:fs';

const { now } = Date;
let offset = 0;
Date.now = () => now.call(Date) + offset;
process.on('SIGUSR2', () => void (offset = Number(readFileSync(process.env['CLOCK_JUMP'] ?? '', 'utf8'))));

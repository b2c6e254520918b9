import type { Program } from '../process.js';
import { runOther } from './run-other.js';

/** busybox [--list|APPLET [ARGUMENT...]] */
export const busybox: Program = async process => {
  const [first, ...rest] = process.args.slice(1);
  if (first === '--list' || first === '--list-full') {
    for (const name of process.container.programNames())
      await process.stdout.write(`${first === '--list-full' ? 'bin/' : ''}${name}\n`);
    return 0;
  }
  if (first === undefined || first === '--help') {
    await process.stdout.write(
      `BusyBox v1.37.0 (simulated) multi-call binary.\n\nUsage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n\nCurrently defined functions:\n\t${process.container.programNames().join(', ')}\n`,
    );
    return 0;
  }
  if ((await process.container.program(first)) === undefined) {
    await process.stderr.write(`${first}: applet not found\n`);
    return 127;
  }
  return runOther(process, [first, ...rest]);
};

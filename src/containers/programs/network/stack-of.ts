import { hasCapability } from '../../capabilities.js';
import type { NetworkStack } from '../../network/stack.js';
import type { Process, Program } from '../../process.js';

/** Runs with what the process's network tells of itself. */
export const withStack =
  (run: (process: Process, stack: NetworkStack) => Promise<number>): Program =>
  async process => {
    const { stack } = process.container.network;
    if (stack !== undefined) return run(process, stack);
    await process.stderr.write(`${process.args[0] ?? ''}: this network tells nothing of itself\n`);
    return 1;
  };

/** Whether it may change the network, and read its rules. */
export const mayAdminister = ({ container }: Process): boolean => hasCapability(container.security, 'NET_ADMIN');
/** Whether it may read packets. */
export const mayCapture = ({ container }: Process): boolean => hasCapability(container.security, 'NET_RAW');

/** A program that was called with something that it has no simulation for: it says so, and which. */
export class NotSimulated extends Error {
  override readonly name = 'NotSimulated';
}

/** Says what is not simulated, instead of leaving it out. */
export const refusing =
  (program: Program): Program =>
  async process => {
    try {
      return await program(process);
    } catch (error) {
      if (!(error instanceof NotSimulated)) throw error;
      await process.stderr.write(`${process.args[0] ?? ''}: not simulated here: ${error.message}\n`);
      return 1;
    }
  };

import type { Kernel } from '../../../dataplane/kernel/types.js';
import type { Family } from '../../../machinery/ip.js';
import type { Process, Program } from '../../process.js';
import { mayAdminister, refusing, withStack } from './stack-of.js';

/** What a network namespace has been told: nothing in a Pod's own (undefined), what kube-proxy says in the node's. */
export type Kernels = (family: Family) => Kernel | undefined;

/** A program that reads the rules of its network namespace; without CAP_NET_ADMIN it is told `refusal`. */
export const rulesProgram = (
  refusal: (name: string) => string,
  status: number,
  run: (process: Process, kernels: Kernels) => Promise<number>,
): Program =>
  refusing(
    withStack(async (process, stack) => {
      if (mayAdminister(process)) return run(process, family => stack.kernel(family));
      await process.stderr.write(`${refusal(process.args[0] ?? '')}\n`);
      return status;
    }),
  );

const PIECE = 16 * 1024;

/** Prints what comes line by line, and lets others have their turn. True: there was something. */
export async function printLines(process: Process, lines: Iterable<string>): Promise<boolean> {
  let text = '';
  let some = false;
  for (const line of lines) {
    const wait = process.turn();
    if (wait !== undefined) await wait;
    text += line;
    some ||= line !== '';
    if (text.length < PIECE) continue;
    await process.stdout.write(text);
    text = '';
  }
  if (text !== '') await process.stdout.write(text);
  return some;
}

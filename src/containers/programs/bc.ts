import type { Program } from '../process.js';
import { Calculator } from './bc-parts/calculator.js';
import { BcError, Quit } from './bc-parts/errors.js';
import { DecimalError } from './decimal.js';
import { openInput } from './each-input.js';
import { fromBytes, holdAll } from './lines.js';
import { parseOptions } from './options.js';

/** bc [-lq] [FILE...]: expressions and statements without user functions. */
export const bc: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'lqsiw', long: { mathlib: 'l', quiet: 'q' } });
  const calculator = new Calculator(process, has('l') ? 20 : 0);
  let status = 0;
  try {
    for (const name of operands)
      await calculator.run(fromBytes(await holdAll(process, await openInput(process, name))));
    await calculator.run(fromBytes(await holdAll(process, process.stdin)));
  } catch (error) {
    if (error instanceof Quit) return 0;
    if (!(error instanceof BcError || error instanceof DecimalError)) throw error;
    await process.stderr.write(`bc: ${error.message}\n`);
    status = 1;
  }
  return status;
};

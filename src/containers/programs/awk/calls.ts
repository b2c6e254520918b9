import { Killed } from '../../process.js';
import { AwkError, type AwkFunction, type Expression } from './syntax.js';
import { AwkArray, type Value } from './values.js';
import { Unwind } from './jumps.js';
import { newArray, type Awk } from './state.js';
import { scopeOf } from './variables.js';

const MAX_CALLS = 2000;
const CALL_BYTES = 2048;

export async function callFunction(awk: Awk, name: string, args: readonly Expression[]): Promise<Value> {
  const called: AwkFunction | undefined = awk.program.functions.get(name);
  if (called === undefined) throw new AwkError(`undefined function ${name}`);
  if (args.length > called.parameters.length) throw new AwkError(`function ${name} called with too many args`);
  if (awk.calls >= MAX_CALLS) throw new Killed('SEGV');
  const frame = new Map<string, Value | AwkArray>();
  const lent: { readonly array: AwkArray; readonly name: string }[] = [];
  for (const [i, parameter] of called.parameters.entries()) {
    const arg = args[i];
    if (arg?.kind === 'variable') {
      const value = scopeOf(awk, arg.name).get(arg.name);
      if (value === undefined && arg.name !== 'NF') {
        // It may become an array in the function, and then it is the caller's too.
        const array = newArray(awk);
        lent.push({ array, name: arg.name });
        frame.set(parameter, array);
        continue;
      }
      if (value instanceof AwkArray) {
        frame.set(parameter, value);
        continue;
      }
    }
    frame.set(parameter, arg === undefined ? undefined : await awk.evaluate(arg));
  }
  awk.calls++;
  awk.process.memory.add(CALL_BYTES);
  // Every so many calls the machine's own stack is given back.
  if (awk.calls % 32 === 0) await (awk.process.turn() ?? Promise.resolve());
  const caller = awk.frames.at(-1);
  awk.frames.push(frame);
  try {
    awk.result = undefined;
    const jump = await awk.execute(called.body);
    if (jump === 'exit' || jump === 'next') throw new Unwind(jump);
    return awk.result;
  } finally {
    awk.frames.pop();
    awk.calls--;
    awk.process.memory.remove(CALL_BYTES);
    for (const { array, name: variable } of lent)
      if (array.used) (caller?.has(variable) === true ? caller : awk.globals).set(variable, array);
  }
}

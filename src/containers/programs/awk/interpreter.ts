import type { Process } from '../../process.js';
import { asBytes } from '../lines.js';
import type { AwkProgram, Rule, Statement } from './syntax.js';
import { fromOutside, isTrue, type Value } from './values.js';
import { getRecord } from './current-record.js';
import { evaluate } from './expressions.js';
import { readMain } from './input.js';
import { Unwind, type Jump } from './jumps.js';
import { then, type Maybe } from './maybe.js';
import { closeNamed, flush } from './outputs.js';
import { execute } from './statements.js';
import { createAwk, newArray, textOf, type Awk } from './state.js';

/** A program over the records of its inputs, before it runs. */
export const prepareAwk = (process: Process, program: AwkProgram): Awk =>
  createAwk(process, program, evaluate, execute);

/** Arguments and environment. */
export function setUp(awk: Awk, args: readonly string[], env: Readonly<Record<string, string>>): void {
  const argv = newArray(awk);
  for (const [i, arg] of args.entries()) argv.set(String(i), fromOutside(asBytes(arg)));
  argv.used = true;
  awk.globals.set('ARGV', argv);
  awk.globals.set('ARGC', args.length);
  const environ = newArray(awk);
  for (const [name, value] of Object.entries(env)) environ.set(asBytes(name), fromOutside(asBytes(value)));
  environ.used = true;
  awk.globals.set('ENVIRON', environ);
}

export async function runAwk(awk: Awk): Promise<number> {
  const { rules } = awk.program;
  let jump: Jump;
  try {
    for (const { pattern, action } of rules) {
      if (pattern !== 'BEGIN' || action === undefined) continue;
      jump = await perform(awk, action);
      if (jump === 'exit') break;
    }
    const others = rules.filter(({ pattern }) => pattern !== 'BEGIN');
    if (jump !== 'exit' && others.length > 0) {
      while ((await readMain(awk)) !== undefined) {
        jump = await applyRules(awk, others);
        if (jump === 'exit') break;
        if (jump === 'nextfile') awk.main = undefined;
      }
    }
    if (jump !== 'exit' || others.some(({ pattern }) => pattern === 'END'))
      for (const { pattern, action } of rules)
        if (pattern === 'END' && action !== undefined && (await perform(awk, action)) === 'exit') break;
  } finally {
    await flush(awk);
  }
  for (const name of [...awk.sinks.keys()]) await closeNamed(awk, name);
  for (const name of [...awk.sources.keys()]) await closeNamed(awk, name);
  return awk.exitCode;
}

async function applyRules(awk: Awk, rules: readonly Rule[]): Promise<Jump> {
  for (const rule of rules) {
    const selected = selects(awk, rule);
    if (!(selected instanceof Promise ? await selected : selected)) continue;
    if (rule.action === undefined) {
      const wait = awk.out.write(getRecord(awk) + textOf(awk, awk.globals.get('ORS') as Value));
      if (wait !== undefined) await wait;
      continue;
    }
    const jump = await perform(awk, rule.action);
    if (jump === 'next' || jump === 'nextfile' || jump === 'exit') return jump;
  }
  return undefined;
}

/** A whole action, whatever it is left by. */
async function perform(awk: Awk, action: Statement): Promise<Jump> {
  try {
    return await awk.execute(action);
  } catch (error) {
    if (error instanceof Unwind) return error.jump;
    throw error;
  }
}

function selects(awk: Awk, rule: Rule): Maybe<boolean> {
  const { pattern } = rule;
  if (pattern === undefined) return true;
  if (typeof pattern === 'string') return false;
  const [first, last] = pattern;
  if (first === undefined) return true;
  if (last === undefined) return then(awk.evaluate(first), isTrue);
  const ends = (): Maybe<boolean> =>
    then(awk.evaluate(last), value => {
      if (isTrue(value)) awk.ranges.delete(rule);
      else awk.ranges.add(rule);
      return true;
    });
  if (awk.ranges.has(rule)) return ends();
  return then(awk.evaluate(first), value => (isTrue(value) ? ends() : false));
}

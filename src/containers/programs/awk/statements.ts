import type { Statement } from './syntax.js';
import { fromOutside, isTrue, toNumber, toText, type Value } from './values.js';
import { callBuiltin } from './builtins.js';
import { getRecord } from './current-record.js';
import type { Jump } from './jumps.js';
import { then, type Maybe } from './maybe.js';
import { sinkOf } from './outputs.js';
import { pay, textOf, type Awk } from './state.js';
import { keyOf } from './targets.js';
import { arrayOf, setVariable } from './variables.js';

export function execute(awk: Awk, node: Statement): Maybe<Jump> {
  switch (node.kind) {
    case 'block':
      return block(awk, node.body);
    case 'expression':
      return then(awk.evaluate(node.value), () => undefined);
    case 'print':
    case 'printf':
      return print(awk, node);
    case 'if':
      return then(awk.evaluate(node.test), test => {
        const chosen = isTrue(test) ? node.yes : node.no;
        return chosen === undefined ? undefined : execute(awk, chosen);
      });
    case 'loop':
      return loop(awk, node);
    case 'for-in':
      return forIn(awk, node);
    case 'jump':
      return node.to;
    case 'exit':
      return then(node.value === undefined ? undefined : awk.evaluate(node.value), value => {
        if (value !== undefined) awk.exitCode = Math.trunc(toNumber(value)) & 255;
        return 'exit';
      });
    case 'return':
      return then(node.value === undefined ? undefined : awk.evaluate(node.value), value => {
        awk.result = value;
        return 'return';
      });
    case 'delete':
      if (node.key === undefined) {
        arrayOf(awk, node.array).clear();
        return undefined;
      }
      return then(keyOf(awk, node.key), key => void arrayOf(awk, node.array).delete(key));
  }
}

function block(awk: Awk, body: readonly Statement[]): Maybe<Jump> {
  for (const [i, statement] of body.entries()) {
    const done = execute(awk, statement);
    if (done instanceof Promise) return blockFrom(awk, done, body, i + 1);
    if (done !== undefined) return done;
  }
  return undefined;
}

async function blockFrom(awk: Awk, first: Promise<Jump>, body: readonly Statement[], from: number): Promise<Jump> {
  let jump = await first;
  for (let i = from; jump === undefined && i < body.length; i++) {
    const statement = body[i];
    if (statement !== undefined) jump = await execute(awk, statement);
  }
  return jump;
}

async function loop(
  awk: Awk,
  { before, test, after, body, bodyFirst }: Extract<Statement, { kind: 'loop' }>,
): Promise<Jump> {
  if (before !== undefined) await execute(awk, before);
  for (let round = 0; ; round++) {
    if (round % 16 === 0) {
      const wait = awk.process.turn();
      if (wait !== undefined) await wait;
    }
    if (test !== undefined && (!bodyFirst || round > 0)) {
      const value = awk.evaluate(test);
      if (!isTrue(value instanceof Promise ? await value : value)) return undefined;
    }
    const done = execute(awk, body);
    const jump = done instanceof Promise ? await done : done;
    if (jump === 'break') return undefined;
    if (jump !== undefined && jump !== 'continue') return jump;
    if (after !== undefined) {
      const step = execute(awk, after);
      if (step instanceof Promise) await step;
    }
  }
}

async function forIn(awk: Awk, { name, array, body }: Extract<Statement, { kind: 'for-in' }>): Promise<Jump> {
  const values = arrayOf(awk, array);
  for (const [round, key] of values.keys().entries()) {
    if (round % 16 === 0) await awk.process.turn();
    setVariable(awk, name, fromOutside(key));
    const done = execute(awk, body);
    const jump = done instanceof Promise ? await done : done;
    if (jump === 'break') return undefined;
    if (jump !== undefined && jump !== 'continue') return jump;
  }
  return undefined;
}

async function print(awk: Awk, { kind, values, to }: Extract<Statement, { kind: 'print' | 'printf' }>): Promise<Jump> {
  let text: string;
  if (kind === 'printf') text = textOf(awk, await callBuiltin(awk, 'sprintf', values));
  else {
    const format = textOf(awk, awk.globals.get('OFMT') as Value);
    const parts: string[] = [];
    for (const value of values) parts.push(toText(await awk.evaluate(value), format));
    const line = values.length === 0 ? getRecord(awk) : parts.join(textOf(awk, awk.globals.get('OFS') as Value));
    text = line + textOf(awk, awk.globals.get('ORS') as Value);
  }
  const out = to === undefined ? awk.out : (await sinkOf(awk, to, textOf(awk, await awk.evaluate(to.target)))).out;
  pay(awk, text.length);
  const wait = out.write(text);
  if (wait !== undefined) await wait;
  return undefined;
}

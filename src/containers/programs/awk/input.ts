import { openInput } from '../each-input.js';
import { asText } from '../lines.js';
import { RecordReader, type Separator } from './records.js';
import { AwkArray, fromOutside, toNumber, type Value } from './values.js';
import { setRecord } from './current-record.js';
import { flush } from './outputs.js';
import { regexOf, textOf, type Awk } from './state.js';
import { setVariable } from './variables.js';

export function separatorOf(awk: Awk): Separator {
  const rs = textOf(awk, awk.globals.get('RS') as Value);
  if (rs === '') return { kind: 'paragraph' };
  if (rs.length === 1) return { kind: 'character', character: rs };
  return { kind: 'regex', regex: regexOf(awk, rs) };
}

/** The next record of the files named as arguments, as $0. */
export async function readMain(awk: Awk): Promise<string | undefined> {
  for (;;) {
    awk.main ??= await openNext(awk);
    if (awk.main === undefined) return undefined;
    await awk.out.flush();
    const wait = awk.process.turn();
    if (wait !== undefined) await wait;
    const record = await awk.main.next(separatorOf(awk));
    if (record === undefined) {
      awk.main = undefined;
      continue;
    }
    countUp(awk, 'NR');
    countUp(awk, 'FNR');
    setRecord(awk, record);
    return record;
  }
}

async function openNext(awk: Awk): Promise<RecordReader | undefined> {
  const argv = awk.globals.get('ARGV');
  const count = toNumber(awk.globals.get('ARGC') as Value);
  for (; awk.nextArgument < count;) {
    const key = String(awk.nextArgument++);
    const word = argv instanceof AwkArray && argv.has(key) ? textOf(awk, argv.get(key)) : '';
    if (word === '') continue;
    const assigned = /^([A-Za-z_]\w*)=/.exec(word);
    if (assigned !== null) {
      assignArgument(awk, assigned[1] ?? '', word.slice(assigned[0].length));
      continue;
    }
    awk.usedInput = true;
    awk.globals.set('FNR', 0);
    awk.globals.set('FILENAME', word);
    if (word === '-') return new RecordReader(awk.process, awk.process.stdin);
    try {
      return new RecordReader(awk.process, await openInput(awk.process, asText(word)));
    } catch (error) {
      await flush(awk);
      await awk.process.stderr.write(`awk: ${asText(word)}: ${(error as Error).message}\n`);
      awk.exitCode = 2;
    }
  }
  if (awk.usedInput) return undefined;
  awk.usedInput = true;
  return new RecordReader(awk.process, awk.process.stdin);
}

/** NAME=VALUE of the command line. */
export function assignArgument(awk: Awk, name: string, value: string): void {
  setVariable(awk, name, fromOutside(value.replace(/\\([nt\\"])/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c)));
}

export function countUp(awk: Awk, name: string): void {
  awk.globals.set(name, toNumber(awk.globals.get(name) as Value) + 1);
}

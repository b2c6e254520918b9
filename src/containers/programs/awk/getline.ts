import { createPipe } from '../../io.js';
import { Killed } from '../../process.js';
import { readerOf } from '../../spawn.js';
import { openInput } from '../each-input.js';
import { asText } from '../lines.js';
import { RecordReader } from './records.js';
import type { Expression } from './syntax.js';
import { fromOutside, type Value } from './values.js';
import { setRecord } from './current-record.js';
import { countUp, readMain, separatorOf } from './input.js';
import { flush } from './outputs.js';
import { textOf, type Awk, type Source } from './state.js';
import { startShell } from './subshell.js';
import { writeTarget } from './targets.js';

export async function getline(
  awk: Awk,
  { target, from, source }: Extract<Expression, { kind: 'getline' }>,
): Promise<Value> {
  let record: string | undefined;
  if (from === 'input') {
    if (target === undefined) return (await readMain(awk)) === undefined ? 0 : 1;
    const whole = [awk.record, awk.state, awk.fields] as const;
    record = await readMain(awk);
    if (record === undefined) return 0;
    [awk.record, awk.state, awk.fields] = whole;
    await writeTarget(awk, target, fromOutside(record));
    return 1;
  }
  const name = textOf(awk, source === undefined ? '' : await awk.evaluate(source));
  let opened = awk.sources.get(name);
  if (opened === undefined) {
    await flush(awk);
    try {
      opened = from === 'file' ? await openFile(awk, name) : await openCommand(awk, name);
    } catch (error) {
      if (error instanceof Killed) throw error;
      return -1;
    }
    awk.sources.set(name, opened);
  }
  record = await opened.reader.next(separatorOf(awk));
  if (record === undefined) return 0;
  if (from === 'command') countUp(awk, 'NR');
  if (target === undefined) setRecord(awk, record);
  else await writeTarget(awk, target, fromOutside(record));
  return 1;
}

async function openFile(awk: Awk, name: string): Promise<Source> {
  const input = name === '-' ? awk.process.stdin : await openInput(awk.process, asText(name));
  return { reader: new RecordReader(awk.process, input), close: async () => 0 };
}

async function openCommand(awk: Awk, command: string): Promise<Source> {
  const pipe = createPipe();
  const child = await startShell(awk, command, { stdout: pipe });
  const done = child.exited.finally(pipe.closeWrite);
  return {
    reader: new RecordReader(awk.process, readerOf(pipe, awk.process.turn)),
    async close() {
      pipe.closeRead();
      return done;
    },
  };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { openLog, printLog } from '../../../../src/cmd/clusters/logs.js';
import { eventually } from '../../../support/registries.js';

t.test('a log begins anew when it is full', async t => {
  const path = join(t.testdir(), 'a.log');
  const log = await openLog(path, 10);
  for (const line of ['1234', '5678', '9']) log.write(line);
  await log.close();
  t.equal(readFileSync(path, 'utf8'), '9\n');
  const again = await openLog(path, 10);
  again.write('x');
  await again.close();
  t.equal(readFileSync(path, 'utf8'), '9\nx\n', 'and is gone on with');
});

t.test('what is written later is printed when it is followed, also in a log that begins anew', async t => {
  const path = join(t.testdir(), 'a.log');
  const log = await openLog(path, 12);
  log.write('first');
  const stopping = new AbortController();
  const clock = new FakeClock();
  let printed = '';
  await eventually('the line is there', () => readFileSync(path, 'utf8') !== '');
  const done = printLog(path, { clock, follow: true, signal: stopping.signal, write: text => (printed += text) });
  const shows = (text: string): Promise<void> =>
    eventually(text, () => {
      clock.step(200);
      return printed === text;
    });
  await shows('first\n');
  log.write('then');
  await shows('first\nthen\n');
  log.write('new');
  await shows('first\nthen\nnew\n');
  stopping.abort();
  clock.step(200);
  await done;
  await log.close();
});

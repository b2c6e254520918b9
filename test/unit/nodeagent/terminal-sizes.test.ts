import t from 'tap';
import { createTerminalSizes } from '../../../src/nodeagent/streaming/terminal-sizes.js';

t.test('the last size is what a program sees', async t => {
  const sizes = createTerminalSizes();
  const seen = sizes[Symbol.asyncIterator]();
  sizes.push(Buffer.from('{"Width":80,"Height":24}\n'));
  sizes.push(Buffer.from('{"Width":132,"Height":43}\n'));
  t.same((await seen.next()).value, { columns: 132, rows: 43 });
  sizes.push(Buffer.from('{"Width":0,"Height":10}'));
  sizes.push(Buffer.from('nonsense'));
  sizes.push(Buffer.alloc(5000, '{"Width":1,"Height":1}'));
  const next = seen.next();
  sizes.push(Buffer.from('{"Width": 100, "Height": 30}'));
  t.same((await next).value, { columns: 100, rows: 30 });
  sizes.end();
  t.equal((await seen.next()).done, true);
});

import t from 'tap';
import { createLogger } from '../../../src/cmd/logger.js';
import { peerLeft } from '../../../src/server/connect/ended.js';

t.test('what processes say is one readable line each, whatever it holds', async t => {
  const lines: string[] = [];
  const log = await createLogger('apiserver', {
    level: 'info',
    sink: { write: line => lines.push(line), now: () => 0 },
  });
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  log.debug({}, 'not asked for');
  log.info({ port: 6443, node: 'node-1', url: '/a?b="c"\nforged line' }, 'listening');
  log.error({ err: new Error('no room') }, 'write failed');
  log.warn({ loop }, 'odd');
  t.same(
    lines.map(line => line.slice(0, 24)),
    Array.from({ length: 3 }, () => '1970-01-01T00:00:00.000Z'),
  );
  t.same(
    lines.map(line => line.slice(25)),
    [
      'info apiserver: listening port=6443 node=node-1 url="/a?b=\\"c\\"\\nforged line"\n',
      'error apiserver: write failed err="no room"\n',
      lines[2]?.slice(25) ?? '',
    ],
  );
  t.match(lines[2], /warn apiserver: odd loop=\(cannot be shown: [^\n]*\)?/);
  t.notOk(lines[1]?.includes('process-log'), 'no stack');
});

t.test('a peer that leaves is no fault of a tunnel', t => {
  const rows = [
    { code: 'ERR_STREAM_PREMATURE_CLOSE', expect: true },
    { code: 'ECONNRESET', expect: true },
    { code: 'EPROTO', expect: false },
  ];
  for (const { code, expect } of rows) t.equal(peerLeft(Object.assign(new Error('x'), { code })), expect, code);
  t.equal(peerLeft(new Error('bug')), false);
  t.end();
});

t.test('--logging-format json: what programs read has the error whole', async t => {
  const lines: string[] = [];
  const sink = { write: (line: string) => lines.push(line), now: () => 0 };
  const log = await createLogger('dns', { level: 'info', format: 'json', sink });
  log.debug({}, 'not asked for');
  log.error({ err: new Error('no room'), url: '/a\nb' }, 'write failed');
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0] ?? ''), {
    level: 50,
    name: 'dns',
    time: '1970-01-01T00:00:00.000Z',
    msg: 'write failed',
    url: '/a\nb',
    err: { message: 'no room', stack: /Error: no room/ },
  });
});

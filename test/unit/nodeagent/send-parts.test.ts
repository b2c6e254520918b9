import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { jsonParts } from '../../../src/nodeagent/kubelet-api/json-parts.js';
import { sendParts } from '../../../src/nodeagent/kubelet-api/send-parts.js';
import { HttpError } from '../../../src/nodeagent/kubelet-api/types.js';

/** Each look at it is a millisecond later than the one before. */
function busyClock() {
  let now = 0;
  return { monotonic: () => ++now };
}

async function serve(t: Test, answer: (response: ServerResponse) => Promise<void>): Promise<string> {
  const server = createServer((_request, response) => {
    answer(response).catch((error: unknown) => {
      response.writeHead(error instanceof HttpError ? error.code : 500);
      response.end((error as Error).message);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    headers: { connection: 'close' },
  });
  return `${response.status} ${response.headers.get('content-length') ?? ''} ${await response.text()}`;
}

const { signal } = new AbortController();
const type = 'text/plain; charset=utf-8';

t.test('a long text comes whole, and others have their turns while it is made', async t => {
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns++;
    if (!over) setImmediate(count);
  };
  const line = `${'é'.repeat(50)}\n`;
  const made = function* (): Generator<string> {
    for (let i = 0; i < 20_000; i++) yield line;
  };
  const answered = await serve(t, async response => {
    setImmediate(count);
    await sendParts(response, made, { clock: busyClock(), type, version: () => 0, signal });
    over = true;
  });
  const text = line.repeat(20_000);
  t.ok(answered === `200 ${Buffer.byteLength(text)} ${text}`);
  t.ok(turns > 1000, `${turns} turns between 20000 lines`);
});

t.test('what changes meanwhile is made anew', async t => {
  const rows: { name: string; changes: number; expect: string }[] = [
    { name: 'never', changes: 0, expect: '200 200 ' },
    { name: 'a few times', changes: 3, expect: '200 200 ' },
    { name: 'always', changes: Infinity, expect: '503  the rules change faster than they can be listed' },
  ];
  for (const { name, changes, expect } of rows) {
    let version = 0;
    const made = function* (): Generator<string> {
      const began = version;
      for (let i = 0; i < 100; i++) {
        if (i === 50 && version < changes) version++;
        yield `${Math.min(began, 9)} `;
      }
    };
    const answered = await serve(t, response =>
      sendParts(response, made, { clock: busyClock(), type, version: () => version, signal }),
    );
    const whole = expect.startsWith('200') ? expect + `${changes} `.repeat(100) : expect;
    t.equal(answered, whole, name);
  }
});

t.test('JSON in pieces is JSON', async t => {
  const rows: { name: string; value: unknown }[] = [
    { name: 'nothing in it', value: {} },
    { name: 'what is undefined', value: { a: undefined, b: null, c: [undefined, null] } },
    { name: 'texts', value: { 'a"b': 'c\n"d' } },
    { name: 'lists in lists', value: [[], [1, [2, [3, [4, [5, [6, [7]]]]]]]] },
    { name: 'objects', value: { a: [{ b: { c: [{ d: { e: { f: { g: true } } } }] } }, { h: 1.5 }] } },
  ];
  for (const { name, value } of rows) t.equal([...jsonParts(value)].join(''), JSON.stringify(value), name);
});

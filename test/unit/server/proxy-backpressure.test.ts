import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import t from 'tap';
import { startProxiedNode } from '../../support/proxied-node.js';
import { eventually } from '../../support/up.js';

const MIB = 1 << 20;
/** Far more than the kernel's buffers of the connections in between. */
const ALL = 192 * MIB;
const KEPT = 96 * MIB;
const PATH = '/api/v1/namespaces/default/pods/web/proxy/x';
const until = (what: string, holds: () => boolean): Promise<boolean> =>
  eventually(what, async () => holds(), Boolean, 20_000);

/** Whether a count has come to rest. */
async function settled(count: () => number): Promise<number> {
  let last = -1;
  let same = 0;
  await until('nothing moves any more', () => {
    same = count() === last ? same + 1 : 0;
    last = count();
    return same > 5;
  });
  return last;
}

t.test('a body goes through a proxy no faster than the Pod reads it', async t => {
  const node = await startProxiedNode(t);
  let read = 0;
  let goOn: () => void = () => undefined;
  node.serve(stream => {
    stream.once('data', (head: Buffer) => {
      read -= head.indexOf('\r\n\r\n') + 4 - head.length;
      stream.pause();
      goOn = () => {
        stream.resume();
        stream.on('data', (chunk: Buffer) => {
          read += chunk.length;
          if (read === ALL) stream.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
      };
    });
  });
  const sent = httpsRequest({
    port: node.api.port,
    host: '127.0.0.1',
    path: PATH,
    method: 'POST',
    headers: { 'content-length': ALL },
    rejectUnauthorized: false,
  });
  const piece = Buffer.alloc(MIB);
  let taken = 0;
  for (let i = 0; i < ALL / MIB; i++) sent.write(piece, () => (taken += MIB));
  sent.end();
  await until('it has begun', () => read > 0);
  t.ok((await settled(() => taken)) < KEPT, 'what the Pod does not read waits at the client');
  goOn();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  t.equal(response.statusCode, 200);
  t.equal(read, ALL);
  response.resume();
});

t.test('an answer comes through a proxy no faster than the client reads it', async t => {
  const node = await startProxiedNode(t);
  let taken = 0;
  node.serve(stream =>
    stream.once('data', () => {
      stream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${ALL}\r\nConnection: close\r\n\r\n`);
      const piece = Buffer.alloc(MIB);
      for (let i = 0; i < ALL / MIB; i++) stream.write(piece, () => (taken += MIB));
      stream.end();
    }),
  );
  const sent = httpsRequest({ port: node.api.port, host: '127.0.0.1', path: PATH, rejectUnauthorized: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.once('readable', () => undefined);
  await until('it has begun', () => taken > 0);
  t.ok((await settled(() => taken)) < KEPT, 'what the client does not read waits at the Pod');
  let read = 0;
  for await (const chunk of response) read += (chunk as Buffer).length;
  t.equal(read, ALL);
});

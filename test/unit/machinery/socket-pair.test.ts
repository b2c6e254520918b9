import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import t from 'tap';
import { socketPair } from '../../../src/machinery/socket-pair.js';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

t.test('what is written to one end is read from the other, in a turn of its own', async t => {
  const { client, server } = socketPair();
  const got: string[] = [];
  server.on('data', (chunk: Buffer) => got.push(chunk.toString()));
  client.write('a');
  client.write('b');
  t.same(got, [], 'who writes does not do the work of who reads');
  await turn();
  t.equal(got.join(''), 'ab');
  server.end('bye');
  t.equal(await textOf(client), 'bye');
});

t.test("memory is its writer's again when it hears that it has been written", async t => {
  const { client, server } = socketPair();
  const slab = Buffer.from('first');
  await new Promise(resolve => client.write(slab, resolve));
  slab.write('other');
  client.end(slab);
  t.equal(await textOf(server), 'firstother');
});

t.test('a writer waits for a reader that does not read', async t => {
  const { client, server } = socketPair();
  const block = Buffer.alloc(64 * 1024);
  let taken = 0;
  for (let i = 0; i < 100; i++) client.write(block, () => taken++);
  for (let i = 0; i < 50; i++) await turn();
  t.ok(taken < 10, `${taken} of 100 blocks were taken by nobody`);
  client.end();
  t.equal((await textOf(server)).length, 100 * block.length, 'nothing is lost');
  t.equal(taken, 100);
});

const ENDS: readonly {
  name: string;
  end: (client: ReturnType<typeof socketPair>['client']) => void;
  expect: string;
}[] = [
  { name: 'an end that comes after what was written', end: client => client.end('last'), expect: 'last end close' },
  { name: 'a close, too', end: client => (client.write('last'), client.destroy()), expect: 'last close' },
  { name: 'an error is a reset', end: client => client.destroy(new Error('cut')), expect: 'ECONNRESET close' },
];
for (const { name, end, expect } of ENDS)
  t.test(name, async t => {
    const { client, server } = socketPair();
    const seen: string[] = [];
    server.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
    server.on('end', () => {
      seen.push('end');
      server.end();
    });
    server.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? error.message));
    const closed = once(server, 'close', { signal: new AbortController().signal }).catch(() => undefined);
    end(client);
    client.resume();
    await closed;
    seen.push('close');
    t.equal([...new Set(seen)].join(' '), expect);
  });

t.test("Node's HTTP keeps its connection alive on it, and hears when a client goes", async t => {
  const gone: Promise<unknown>[] = [];
  const server = createServer((incoming, response) => {
    if (incoming.url === '/watch') {
      gone.push(once(response, 'close'));
      response.write('begun');
      return;
    }
    void textOf(incoming).then(body => response.end(`${incoming.method ?? ''} ${body}`));
  });
  let connections = 0;
  class InProcess extends Agent {
    override createConnection(): ReturnType<typeof socketPair>['client'] {
      connections++;
      const { client, server: its } = socketPair();
      server.emit('connection', its);
      return client;
    }
  }
  const agent = new InProcess({ keepAlive: true });
  const ask = async (path: string, body = ''): Promise<IncomingMessage> => {
    const outgoing = request({ agent, path, method: 'POST', headers: { 'content-length': body.length } });
    outgoing.on('error', () => undefined);
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return answer;
  };
  for (const body of ['one', 'x'.repeat(300_000), '']) t.equal(await textOf(await ask('/', body)), `POST ${body}`);
  t.equal(connections, 1);
  const watch = await ask('/watch');
  watch.on('error', () => undefined);
  watch.destroy();
  await gone[0];
  t.equal(await textOf(await ask('/', 'after')), 'POST after');
  t.equal(connections, 2);
  agent.destroy();
});

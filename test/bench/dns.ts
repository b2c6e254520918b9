import { type ChildProcess, fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import * as packet from 'dns-packet';
import type { Row } from './table.js';

const QUERIES = 60_000;
const IN_FLIGHT = 64;
const SERVICES = 1_000;

interface Said {
  readonly port?: number;
  readonly cpu?: NodeJS.CpuUsage;
}

async function hear(child: ChildProcess): Promise<Said> {
  const [said] = (await once(child, 'message')) as [Said];
  return said;
}

/** Microseconds. */
async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const { cpu } = await hear(child);
  return (cpu?.user ?? NaN) + (cpu?.system ?? NaN);
}

/** Asks all questions in turn until so many are answered, some at a time; a lost datagram would stop it, on loopback none is. */
async function ask(socket: Socket, questions: readonly Buffer[], count: number): Promise<void> {
  let sent = 0;
  let answered = 0;
  const send = (): void => socket.send(questions[sent++ % questions.length] ?? Buffer.alloc(0));
  await new Promise<void>(done => {
    const onMessage = (): void => {
      if (sent < count) send();
      if (++answered < count) return;
      socket.off('message', onMessage);
      done();
    };
    socket.on('message', onMessage);
    while (sent < IN_FLIGHT) send();
  });
}

/** Queries over UDP that one core answers in a second: by the CPU time of the server's process, the client has another. */
export async function dnsQueries(): Promise<Row[]> {
  const child = fork(new URL('dns-server.js', import.meta.url), { stdio: 'inherit' });
  const socket = createSocket('udp4');
  try {
    const { port = 0 } = await hear(child);
    await new Promise<void>(done => socket.connect(port, '127.0.0.1', done));
    const rate = async (types: readonly packet.RecordType[], name: (i: number) => string): Promise<string> => {
      const questions = Array.from({ length: SERVICES }, (_, i) =>
        packet.encode({ type: 'query', id: i, questions: [{ name: name(i), type: types[i % types.length] ?? 'A' }] }),
      );
      await ask(socket, questions, QUERIES / 10);
      const before = await cpuOf(child);
      await ask(socket, questions, QUERIES);
      return `${Math.round(QUERIES / (((await cpuOf(child)) - before) / 1e6))}/s`;
    };
    const even = (i: number): number => i - (i % 2);
    return [
      {
        what: 'DNS over UDP, on one core: A and AAAA of Services, half of them headless',
        value: await rate(['A', 'A', 'AAAA', 'AAAA'], i => `s${i}.shop.svc.cluster.local`),
        goal: 'goal: over 15,000/s',
      },
      {
        what: '  A of Services with a ClusterIP',
        value: await rate(['A'], i => `s${even(i)}.shop.svc.cluster.local`),
      },
      {
        what: '  A of headless Services of 10 endpoints',
        value: await rate(['A'], i => `s${even(i) + 1}.shop.svc.cluster.local`),
      },
      {
        what: '  names of a search path that do not exist',
        value: await rate(['A', 'AAAA'], i => `s${i}.example.com.svc.cluster.local`),
      },
    ];
  } finally {
    socket.close();
    child.kill();
  }
}

import { NetworkError } from '../../network/errors.js';
import type { SocketAddress } from '../../network/types.js';
import type { Process } from '../../process.js';
import { deadline, DeadlineExceeded } from '../../../machinery/deadline.js';
import type { Options } from '../options.js';

/** The largest datagram that fits a packet. */
const MAX_DATAGRAM = 65_507;

/** Sends every piece of stdin as a datagram from one port, and prints what comes back. */
export async function datagrams(
  process: Process,
  to: SocketAddress,
  options: Options,
  limitMs: number,
): Promise<number> {
  const { network, clock } = process.container;
  const localPort = options.get('p');
  const from = localPort === undefined ? {} : { localPort: Number(localPort) };
  const timeoutMs = Math.min(limitMs, 5000);
  const send = (payload: Buffer): Promise<void> =>
    network.exchange(to, payload, { signal: process.signal, timeoutMs, ...from }).then(
      async reply => void (await process.stdout.write(reply)),
      (error: unknown) => {
        if (!(error instanceof NetworkError)) throw error;
        // Nobody answers datagrams as a rule; a port that is closed says so.
        if (error.code === 'ECONNREFUSED') throw error;
      },
    );
  if (options.has('z')) {
    const [answer] = await Promise.allSettled([send(Buffer.alloc(0))]);
    if (answer.status === 'rejected') throw answer.reason;
    if (options.has('v')) await process.stderr.write(`${to.address} (${to.address}:${to.port}) open\n`);
    return 0;
  }
  const input = inputWithin(process, limitMs);
  let waiting: Promise<void> = Promise.resolve();
  for (let chunk = await input(); chunk !== undefined; chunk = await input())
    for (let at = 0; at < chunk.length; at += MAX_DATAGRAM) {
      const sent = send(chunk.subarray(at, at + MAX_DATAGRAM));
      waiting = Promise.all([waiting, sent]).then(() => undefined);
      waiting.catch(() => undefined);
      await Promise.race([sent.catch(() => undefined), clock.sleep(50, process.signal, { work: true })]);
    }
  await waiting;
  return 0;
}

/** Reads stdin; undefined at its end, or when nothing has come for so long. */
function inputWithin(process: Process, limitMs: number): () => Promise<Buffer | undefined> {
  return async () => {
    const limit = deadline(process.container.clock, limitMs, process.signal);
    try {
      return await process.stdin.read(limit.signal);
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error;
      return undefined;
    } finally {
      limit.cancel();
    }
  };
}

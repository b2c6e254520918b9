import { deadline } from '../../../machinery/deadline.js';
import type { SocketAddress } from '../../network/types.js';
import type { Process } from '../../process.js';
import { NetworkError } from '../../network/errors.js';
import { nextSignal } from '../http-server.js';
import { callApi, serviceAccountToken } from '../in-cluster-client.js';
import type { Subcommand } from './command.js';
import { ask } from './sctp.js';

/** Says that it is there, and which signal ended it: on its output and as its last words. */
export const pause: Subcommand = async process => {
  const signal = nextSignal(process);
  await process.stdout.write('Paused\nSignals registered\n');
  const name = await signal;
  const text = `exiting because of signal "${name === 'INT' ? 'interrupt' : 'terminated'}"\n`;
  const { TERMINATION_MESSAGE_PATH: path = '' } = process.env;
  await process.container.files.write(path === '' ? '/dev/termination-log' : path, Buffer.from(text));
  await process.stdout.write(text);
  return name === 'INT' ? 1 : 2;
};

const readConfig = async (process: Parameters<Subcommand>[0], keyword: string): Promise<string> => {
  const text = (await process.container.files.read('/etc/resolv.conf')).toString('utf8');
  const line = text.split('\n').find(l => l.startsWith(keyword));
  if (line === undefined) throw new Error('Could not find DNS search list!');
  return line.split(' ').slice(1).join(',');
};

export const dnsSuffix: Subcommand = async process => {
  await process.stdout.write(`${await readConfig(process, 'search')}\n`);
  return 0;
};

export const dnsServerList: Subcommand = async process => {
  await process.stdout.write(`${await readConfig(process, 'nameserver')}\n`);
  return 0;
};

export const etcHosts: Subcommand = async process => {
  await process.stdout.write(`${(await process.container.files.read('/etc/hosts')).toString('utf8')}\n`);
  return 0;
};

/** Prints everything it was called with. */
export const entrypointTester: Subcommand = async process => {
  await process.stdout.write(`[${process.args.join(' ')}]\n`);
  return 0;
};

/** connect HOST:PORT [--timeout 5s] [--protocol tcp|udp|sctp]: exits 0 when the connection stands, 1 and a word when not. */
export const connect: Subcommand = async (process, flags) => {
  const { container, stderr, signal } = process;
  const say = async (text: string): Promise<number> => (await stderr.write(`${text}\n`), 1);
  const target = flags.operands[0] ?? '';
  const at = target.lastIndexOf(':');
  if (at < 0) return say(`UNKNOWN: address ${target}: missing port in address`);
  const host = target.slice(0, at);
  const port = Number(target.slice(at + 1));
  const [address] = (await container.resolver.lookup(host, { signal })).addresses;
  if (address === undefined) return say(`DNS: lookup ${host}: no such host`);
  const timeoutMs = flags.duration('timeout', 0);
  const options = { signal, ...(timeoutMs > 0 ? { timeoutMs } : {}) };
  const protocol = flags.text('protocol', 'tcp');
  const udp = protocol === 'udp';
  if (protocol === 'sctp') {
    const failure = await askSctp(process, { address, port }, `${flags.text('sctp-data', 'hostname')}\n`, timeoutMs);
    return failure === undefined ? 0 : say(failure);
  }
  if (!udp && protocol !== 'tcp' && protocol !== '') return say('Unsupported protocol');
  try {
    if (udp)
      await container.network.exchange(
        { address, port },
        Buffer.from(`${flags.text('udp-data', 'hostname')}\n`),
        options,
      );
    else (await container.network.connect({ address, port }, options)).destroy();
    return 0;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    if (error.code === 'ETIMEDOUT') return say(udp ? 'TIMEOUT: i/o timeout' : 'TIMEOUT');
    if (error.code === 'ECONNREFUSED') return say(udp ? 'REFUSED: connection refused' : 'REFUSED');
    return say(`OTHER: dial ${protocol} ${target}: connect: ${error.text.toLowerCase()}`);
  }
};

/** Waits for an answer as long as it may, by default not at all. Resolves with what is wrong, in the real one's words. */
async function askSctp(
  { container, signal }: Process,
  to: SocketAddress,
  text: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const expiry = deadline(container.clock, timeoutMs, signal);
  try {
    const association = await container.network.connect(to, { protocol: 'sctp', signal: expiry.signal });
    return (await ask(association, text, expiry.signal)) === undefined ? 'OTHER: EOF' : undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    if (expiry.signal.aborted) return 'TIMEOUT';
    if (!(error instanceof NetworkError)) throw error;
    return `OTHER: ${error.text.toLowerCase()}`;
  } finally {
    expiry.cancel();
  }
}

const METHODS = ['GET', 'POST', 'PUT'];
const NAMESPACES = ['kube-system', 'default', 'ns'];
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** klog's header: severity, month and day, time, thread, place. */
const klog = (now: number, place: string, text: string): string => {
  const time = new Date(now).toISOString();
  return `I${time.slice(5, 7)}${time.slice(8, 10)} ${time.slice(11, 23)}000       1 ${place}] ${text}\n`;
};

/** Lines like an API server's, evenly over a time. */
export const logsGenerator: Subcommand = async (process, flags) => {
  const { clock, random } = process.container;
  const total = flags.number('log-lines-total', 0);
  const duration = flags.duration('run-duration', 0);
  const fatal = async (text: string): Promise<number> => (await process.stderr.write(`${text}\n`), 255);
  if (total <= 0) return fatal(`Invalid total number of lines: ${total}`);
  if (duration <= 0) return fatal('Invalid duration: 0s');
  const pick = (from: ArrayLike<string>): string => from[Math.floor(random() * from.length)] ?? '';
  const began = clock.monotonic();
  for (let id = 0; id < total; id++) {
    const name = Array.from({ length: 3 + Math.floor(random() * 2) }, () => pick(LETTERS)).join('');
    const status = 200 + Math.floor(random() * 400);
    const line = `${id} ${pick(METHODS)} /api/v1/namespaces/${pick(NAMESPACES)}/pods/${name} ${status}`;
    await process.stderr.write(klog(clock.now(), 'logs_generator.go:76', line));
    const next = began + (duration / total) * (id + 1);
    await clock.sleep(Math.max(0, next - clock.monotonic()), process.signal);
  }
  return 0;
};

/** Asks the API server whether it is healthy, with the Pod's own token, and says a digest of what it sends. */
export const inClusterClient: Subcommand = async (process, flags) => {
  const { createHash } = await import('node:crypto');
  const { container, signal } = process;
  const { clock } = container;
  const say = async (text: string): Promise<void> =>
    void (await process.stderr.write(klog(clock.now(), 'main.go:62', text)));
  await say('started');
  for (;;) {
    await clock.sleep(flags.number('poll-interval', 30) * 1000, signal);
    await say('calling /healthz');
    const token = await serviceAccountToken(process);
    await say(`authz_header=${createHash('sha256').update(`salt|Bearer ${token}`).digest('base64url')}`);
    try {
      const { status } = await callApi(process, { path: '/healthz', token });
      if (status !== 200) await say('status=failed');
    } catch (error) {
      if (signal.aborted) throw error;
      await say(`status=failed\nerror checking /healthz: ${(error as Error).message}`);
    }
  }
};

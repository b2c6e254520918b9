import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FlagError, signalOnTermination, untilAborted } from '../process.js';
import { ETCD_FLAGS } from './etcd-flags.js';
import { createEtcdServer } from './etcd-server.js';
import { helpText, parseFlags } from './flags.js';

/** Where to listen. @throws FlagError */
function address(url: string): { host: string; port: number } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:')
    throw new FlagError(`--listen-client-urls: ${JSON.stringify(url)} is not supported: want http://ADDRESS:PORT`);
  return { host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(parsed.port || 80) };
}

/**
 * etcd as far as test kits see it: it is healthy, and says to the API server beside it which folder to keep things in, so
 * that an API server that is stopped and started again finds what it had.
 */
export async function runEtcd(args: readonly string[]): Promise<void> {
  const { values, warnings, help, version } = parseFlags(ETCD_FLAGS, args);
  if (help) return void process.stdout.write(helpText(ETCD_FLAGS));
  if (version) return void process.stdout.write('etcd Version: 3.6.5\nKubette: it keeps no data itself\n');
  for (const warning of warnings) process.stderr.write(`etcd: ${warning}\n`);
  const last = (name: string, standard: string): string => values.get(name)?.at(-1) ?? standard;
  const urls = last('listen-client-urls', 'http://localhost:2379').split(',').map(address);
  const dataDir = resolve(last('data-dir', `${last('name', 'default')}.etcd`));
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const signal = signalOnTermination();
  const place = { dataDir, fsync: last('unsafe-no-fsync', 'false') !== 'true' };
  for (const { host, port } of urls) {
    const server = createEtcdServer(place);
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      server.listen({ host, port }, listening);
    });
  }
  await untilAborted(signal);
  process.exit(0);
}

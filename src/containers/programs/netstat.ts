import { FileError } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { parseOptions } from './options.js';

/** What listens in the container's network namespace; undefined: the network does not say. */
const listening = (process: Process): { tcp: readonly number[]; udp: readonly number[] } =>
  process.container.network.ports?.() ?? { tcp: [], udp: [] };

/** netstat [-ltunap] : listening sockets. */
export const netstat: Program = async process => {
  const { has } = parseOptions(process.args.slice(1), { short: 'laentuwxrWpi' });
  if (has('r')) return (await import('./ifconfig.js')).route({ ...process, args: ['route', '-n'] });
  const { tcp, udp } = listening(process);
  const all = !has('t') && !has('u');
  const numeric = has('l') || has('a');
  await process.stdout.write(
    `Active Internet connections (${has('l') ? 'only servers' : has('a') ? 'servers and established' : 'w/o servers'})\nProto Recv-Q Send-Q Local Address           Foreign Address         State       \n`,
  );
  const row = (proto: string, port: number, state: string): string =>
    `${proto.padEnd(5)}      0      0 ${`0.0.0.0:${port}`.padEnd(23)} ${'0.0.0.0:*'.padEnd(23)} ${state.padEnd(11)} \n`;
  if (numeric && (all || has('t'))) for (const port of tcp) await process.stdout.write(row('tcp', port, 'LISTEN'));
  if (numeric && (all || has('u'))) for (const port of udp) await process.stdout.write(row('udp', port, ''));
  return 0;
};

/** ss [-ltun] */
export const ss: Program = async process => {
  const { has } = parseOptions(process.args.slice(1), { short: 'ltunapeHs4' });
  const { tcp, udp } = listening(process);
  const all = !has('t') && !has('u');
  if (!has('H')) await process.stdout.write('Netid  State   Recv-Q  Send-Q   Local Address:Port   Peer Address:Port\n');
  const row = (kind: string, state: string, port: number): string =>
    `${kind.padEnd(6)} ${state.padEnd(7)} ${'0'.padEnd(7)} ${'128'.padEnd(8)} ${`0.0.0.0:${port}`.padStart(18)}   ${'0.0.0.0:*'.padStart(17)}\n`;
  if (has('l') || has('a')) {
    if (all || has('u')) for (const port of udp) await process.stdout.write(row('udp', 'UNCONN', port));
    if (all || has('t')) for (const port of tcp) await process.stdout.write(row('tcp', 'LISTEN', port));
  }
  return 0;
};

/** dmesg: what a container without CAP_SYSLOG is told. */
export const dmesg: Program = async process => {
  if (process.container.security.privileged) return 0;
  await process.stderr.write(`dmesg: klogctl: ${new FileError('EPERM').message}\n`);
  return 1;
};

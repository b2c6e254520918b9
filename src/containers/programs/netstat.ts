import { FileError } from '../file-system.js';
import type { StackSocket } from '../network/stack.js';
import type { Process, Program } from '../process.js';
import { parseOptions } from './options.js';
import { portText } from './network/ports.js';
import { withStack } from './network/stack-of.js';

/** netstat [-latunrp], as BusyBox prints it, and as net-tools does: whose program it is nobody tells here. */
export const netstat: Program = withStack((process, stack) => show(process, stack.sockets(), 'busybox'));
export const netToolsNetstat: Program = withStack((process, stack) => show(process, stack.sockets(), 'net-tools'));

const STATES: Readonly<Record<StackSocket['state'], string>> = {
  LISTEN: 'LISTEN',
  ESTABLISHED: 'ESTABLISHED',
  UNCONNECTED: '',
};

async function show(process: Process, sockets: readonly StackSocket[], form: 'busybox' | 'net-tools'): Promise<number> {
  const { has } = parseOptions(process.args.slice(1), {
    short: 'laentuwxrWpi46',
    long: { all: 'a', listening: 'l', tcp: 't', udp: 'u', numeric: 'n', route: 'r', programs: 'p' },
  });
  if (has('r')) {
    const { routeTable } = await import('./ifconfig.js');
    const { stack } = process.container.network;
    if (stack !== undefined) await process.stdout.write(routeTable(stack, has('n'), 'netstat'));
    return 0;
  }
  const servers = has('l') ? 'only servers' : has('a') ? 'servers and established' : 'w/o servers';
  const programs = has('p') ? 'PID/Program name    ' : '';
  const state = form === 'busybox' || has('p') ? 'State       ' : 'State      ';
  await process.stdout.write(
    `Active Internet connections (${servers})\nProto Recv-Q Send-Q Local Address           Foreign Address         ${state}${programs}\n`,
  );
  const all = !has('t') && !has('u');
  const isWanted = ({ protocol, state: is, local }: StackSocket): boolean =>
    (all || has(protocol === 'tcp' ? 't' : 'u')) &&
    (has('a') || (is === 'ESTABLISHED') !== has('l')) &&
    (!has('4') || !local.address.includes(':')) &&
    (!has('6') || local.address.includes(':'));
  const end = ({ address, port }: { readonly address: string; readonly port: number }): string =>
    `${address}:${portText(port, has('n'))}`;
  for (const protocol of ['tcp', 'udp', 'sctp'])
    for (const socket of sockets)
      if (socket.protocol === protocol && isWanted(socket)) {
        const remote = socket.remote ?? { address: socket.local.address.includes(':') ? '::' : '0.0.0.0', port: 0 };
        const width = form === 'busybox' || has('p') ? 12 : 11;
        const mine = has('p') ? '-                   ' : '';
        await process.stdout.write(
          `${protocol.padEnd(5)}      0      0 ${end(socket.local).padEnd(23)} ${end(remote).padEnd(23)} ${STATES[socket.state].padEnd(width)}${mine}\n`,
        );
      }
  if (all && has('a'))
    await process.stdout.write(
      `Active UNIX domain sockets (${servers})\nProto RefCnt Flags       Type       State         I-Node Path\n`,
    );
  return 0;
}

/** dmesg: what a container without CAP_SYSLOG is told. */
export const dmesg: Program = async process => {
  if (process.container.security.privileged) return 0;
  await process.stderr.write(`dmesg: klogctl: ${new FileError('EPERM').message}\n`);
  return 1;
};

import type { StackSocket } from '../../../containers/network/stack.js';
import type { NetStream } from '../../../containers/network/types.js';
import { ANY, type Sockets } from '../sockets.js';

const connection = ({ localAddress, localPort, remoteAddress, remotePort }: NetStream): StackSocket[] =>
  localAddress === undefined || remoteAddress === undefined
    ? []
    : [
        {
          protocol: 'tcp',
          state: 'ESTABLISHED',
          local: { address: localAddress, port: localPort ?? 0 },
          remote: { address: remoteAddress, port: remotePort ?? 0 },
        },
      ];

/** Listeners first, each kind in order of its ports. */
export function socketsOf(sockets: Sockets, dialled: Iterable<NetStream>): StackSocket[] {
  const listeners = sockets
    .listening()
    .map(({ protocol, address, port }): StackSocket => ({
      protocol,
      state: protocol === 'udp' ? 'UNCONNECTED' : 'LISTEN',
      local: { address: address === ANY ? '0.0.0.0' : address, port },
    }))
    .sort((a, b) => a.local.port - b.local.port);
  const open = [...sockets.accepted(), ...dialled].flatMap(connection);
  return [...listeners, ...open.sort((a, b) => a.local.port - b.local.port)];
}

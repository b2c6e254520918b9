import type { ForwardOptions, NetStream, PacketReceiver, SocketAddress, Flow } from '../../containers/network/types.js';
import { NetworkError } from '../../containers/network/errors.js';
import type { OpenOptions } from './link/dialled-link.js';
import type { PeerLinks } from './link/peer-links.js';
import { MAX_TTL, TCP_CONNECT_TIMEOUT_MS, UDP_TIMEOUT_MS, type WirePacket } from './wire.js';

/** The stack of another node, for whoever is outside of the cluster and has packets for it. */
export function peerReceiver(at: SocketAddress, links: Pick<PeerLinks, 'open'>): PacketReceiver {
  const packetOf = (flow: Flow, timeoutMs: number): WirePacket => ({ flow, ttl: MAX_TTL, trace: false, timeoutMs });
  const optionsOf = ({ signal, observe }: ForwardOptions, waitMs: number): OpenOptions => ({ signal, observe, waitMs });
  const open = async (flow: Flow, given: ForwardOptions): Promise<NetStream> => {
    const { timeoutMs = TCP_CONNECT_TIMEOUT_MS } = given;
    const { stream } = await links.open(at, packetOf(flow, timeoutMs), optionsOf(given, timeoutMs));
    if (stream === undefined) throw new NetworkError('ECONNRESET', 'not a pod network peer');
    return stream;
  };
  return {
    acceptTcp: open,
    acceptSctp: open,
    async acceptUdp(flow, payload, given) {
      const { timeoutMs = UDP_TIMEOUT_MS } = given;
      return (await links.open(at, packetOf(flow, timeoutMs), { ...optionsOf(given, timeoutMs), body: payload })).body;
    },
  };
}

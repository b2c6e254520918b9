import type { Conntrack, MutableEntry } from './conntrack.js';
import type { PacketState } from './passage.js';
import type { Verdict } from './xtables/rule.js';

export interface NatContext {
  readonly conntrack: Conntrack;
  readonly random: () => number;
}

/** Decides where a new flow goes, and rewrites its first packet. */
export function destinationNat(entry: MutableEntry, packet: PacketState, address: string, port?: number): void {
  packet.dst = address;
  if (port !== undefined) packet.dstPort = port;
  entry.dnat = true;
  entry.reply = { ...entry.reply, src: packet.dst, srcPort: packet.dstPort };
}

/** Decides from where a new flow seems to come: `address`, and a port that makes the answers' tuple unique. */
export function sourceNat(
  entry: MutableEntry,
  packet: PacketState,
  address: string,
  options: { port?: number; randomFully: boolean },
  context: NatContext,
): void {
  const port = choosePort(entry, address, options.port ?? packet.srcPort, options.randomFully, context);
  entry.snat = true;
  packet.src = address;
  packet.srcPort = port;
  entry.reply = { ...entry.reply, dst: address, dstPort: port };
}

/**
 * A flow that no rule translates still gets another source port when its answers could not be told from another
 * flow's, e.g. when a client reaches one Pod through two Services from the same port (nf_nat_alloc_null_binding).
 */
export function resolveClash(entry: MutableEntry, packet: PacketState, context: NatContext): boolean {
  if (context.conntrack.isFree(entry.reply)) return false;
  sourceNat(entry, packet, packet.src, { randomFully: false }, context);
  return true;
}

function choosePort(
  entry: MutableEntry,
  address: string,
  wanted: number,
  randomFully: boolean,
  { conntrack, random }: NatContext,
): number {
  const isFree = (port: number): boolean => conntrack.isFree({ ...entry.reply, dst: address, dstPort: port });
  if (!randomFully && isFree(wanted)) return wanted;
  // As nf_nat_l4proto_unique_tuple: privileged ports stay privileged.
  const [low, high] = wanted < 512 ? [1, 511] : wanted < 1024 ? [600, 1023] : [1024, 65_535];
  const count = high - low + 1;
  const offset = Math.floor(random() * count);
  for (let i = 0; i < count; i++) {
    const port = low + ((offset + i) % count);
    if (isFree(port)) return port;
  }
  return wanted;
}

export type NatVerdict = Extract<Verdict, { kind: 'dnat' | 'snat' | 'redirect' | 'masquerade' }>;

import type { Hook } from '../../trace.js';
import type { MutableEntry } from '../conntrack.js';
import { ACCEPT, type HookFunction, type HookResult, PRIORITY } from '../hooks.js';
import { endText, flagsOf, type Passage, tupleOf } from '../passage.js';
import type { RouteTable } from '../routes.js';
import { defaultReject } from '../xtables/kernel-form.js';
import { answerOf, type VirtualConnection } from './connections.js';
import { schedule, type ScheduleOptions } from './schedule.js';
import type { Traffic } from './real-servers.js';
import type { Way } from './tcp-states.js';
import type { LoadedService, VirtualServers } from './virtual-servers.js';

export interface IpvsHookOptions extends ScheduleOptions {
  readonly routes: RouteTable;
  readonly services: VirtualServers;
  /** Connections that were only tried, by their flow: so that the answers of a dry run are understood. */
  readonly tried: WeakMap<MutableEntry, VirtualConnection>;
  /** Forgets what has run out. */
  readonly tick: () => void;
  /** No virtual server and no connection: a node of another mode. */
  readonly isIdle: () => boolean;
}

/** As ip_vs_core.c registers them: answers are looked for before requests, both before the source is translated. */
export function ipvsHooks(options: IpvsHookOptions): HookFunction[] {
  const answers = (hook: Hook, priority: number): HookFunction => ({
    hook,
    priority,
    run: passage => fromServer(passage, hook, options),
  });
  const requests = (hook: Hook, priority: number): HookFunction => ({
    hook,
    priority,
    run: passage => fromClient(passage, hook, options),
  });
  return [
    answers('input', PRIORITY.sourceNat - 2),
    requests('input', PRIORITY.sourceNat - 1),
    answers('output', PRIORITY.destinationNat + 1),
    requests('output', PRIORITY.destinationNat + 2),
    answers('forward', PRIORITY.sourceNat),
  ];
}

/** ICMP errors of servers are not translated back; nobody sends them. What loops back has been here. */
const isOurs = ({ packet, given, looped }: Passage, { isIdle }: IpvsHookOptions): boolean =>
  packet.virtual === undefined && !looped && given.embedded === undefined && !isIdle();

function fromClient(passage: Passage, hook: Hook, options: IpvsHookOptions): HookResult {
  const { packet, entry, dryRun } = passage;
  const { connections, services, tick } = options;
  if (!isOurs(passage, options)) return ACCEPT;
  tick();
  const known = connections.fromClient(tupleOf(packet)) ?? triedBy(passage, options);
  if (known !== undefined && !startsAnew(known, passage)) {
    if (known.server.available) return sendOn(passage, known, hook, options);
    const usesOldFlow = entry?.confirmed === true;
    if (!dryRun) connections.remove(known);
    // The flow still points to the server that is gone; it went with the connection, and the next packet has a new one.
    if (usesOldFlow) return { kind: 'drop' };
  } else if (known !== undefined && !dryRun) connections.remove(known);
  const service = serviceOf(passage, services);
  if (service === undefined) return ACCEPT;
  // What is no SYN and belongs to no connection is for a socket, and that refuses it.
  if (packet.protocol === 'tcp' && flagsOf(passage) !== 'syn') return ACCEPT;
  const made = schedule({ service, packet, entry, dryRun }, options);
  if (made === 'full') {
    trace(passage, hook, service.definition, 'table full, dropping packet');
    return { kind: 'drop' };
  }
  if (made !== undefined) return sendOn(passage, made, hook, options);
  const answer = defaultReject(options.routes.family);
  trace(passage, hook, service.definition, `no server, reject with ${answer}`);
  return { kind: 'reject', with: answer };
}

function serviceOf({ packet }: Passage, services: VirtualServers): LoadedService | undefined {
  const { protocol, dst: address, dstPort: port } = packet;
  if (protocol === 'icmp' || protocol === 'ipv6-icmp') return undefined;
  return services.get({ protocol, address, port });
}

/** A dry run's flow is in no table, and no other is here. */
const triedBy = ({ entry }: Passage, { tried }: IpvsHookOptions): VirtualConnection | undefined =>
  entry && tried.get(entry);

/** A SYN on the ports of a connection that has ended, or whose server takes nothing new, gets another server. */
const startsAnew = (known: VirtualConnection, passage: Passage): boolean =>
  known.client.protocol === 'tcp' &&
  flagsOf(passage) === 'syn' &&
  passage.entry?.confirmed !== true &&
  (known.state === 'TIME_WAIT' || known.state === 'CLOSE' || known.server.weight === 0);

/** Towards the server (ip_vs_nat_xmit). */
function sendOn(passage: Passage, connection: VirtualConnection, hook: Hook, options: IpvsHookOptions): HookResult {
  const { packet, entry } = passage;
  const { server, service } = connection;
  packet.dst = server.address;
  packet.dstPort = server.port;
  packet.virtual = service;
  if (entry !== undefined && !entry.confirmed && passage.direction === 'original') {
    // Connection tracking has to know the answers, which come from the server.
    const { src, srcPort } = answerOf(connection);
    entry.reply = { ...entry.reply, src, srcPort };
    if (!passage.dryRun) connection.entry = entry;
    else options.tried.set(entry, connection);
  }
  advance(passage, connection, 'in', options);
  trace(passage, hook, service, `${service.scheduler}: destination becomes ${endText(server.address, server.port)}`);
  if (!options.routes.isLocal(server.address)) return { kind: 'steal' };
  return ACCEPT;
}

/** Back to the client, who knows only the virtual service. */
function fromServer(passage: Passage, hook: Hook, options: IpvsHookOptions): HookResult {
  const { packet, entry, dryRun } = passage;
  if (!isOurs(passage, options)) return ACCEPT;
  const tried = dryRun && passage.direction === 'reply' && entry !== undefined ? options.tried.get(entry) : undefined;
  options.tick();
  const connection = options.connections.fromServer(tupleOf(packet)) ?? tried;
  if (connection === undefined) return ACCEPT;
  const { service } = connection;
  packet.src = service.address;
  packet.srcPort = service.port;
  packet.virtual = service;
  advance(passage, connection, 'out', options);
  trace(passage, hook, service, `source becomes ${endText(service.address, service.port)}`);
  return ACCEPT;
}

function advance(passage: Passage, connection: VirtualConnection, way: Way, options: IpvsHookOptions): void {
  if (passage.dryRun) return;
  options.connections.advance(connection, way, flagsOf(passage));
  const isFirst = way === 'in' && passage.entry?.confirmed !== true;
  const service = options.services.get(connection.service);
  count(connection.server.traffic, way, passage.packet.size, isFirst);
  if (service !== undefined) count(service.traffic, way, passage.packet.size, isFirst);
}

function count(traffic: Traffic, way: Way, bytes: number, isFirst: boolean): void {
  if (isFirst) traffic.connections++;
  if (way === 'in') {
    traffic.inPackets++;
    traffic.inBytes += bytes;
  } else {
    traffic.outPackets++;
    traffic.outBytes += bytes;
  }
}

function trace(passage: Passage, hook: Hook, { origin }: VirtualConnection['service'], effect: string): void {
  passage.trace.push({ kind: 'nat', hook, table: 'ipvs', effect, ...(origin === undefined ? {} : { origin }) });
}

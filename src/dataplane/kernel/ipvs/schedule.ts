import type { MutableEntry } from '../conntrack.js';
import type { PacketState } from '../passage.js';
import { tupleOf } from '../passage.js';
import type { Connections, VirtualConnection } from './connections.js';
import type { Template, Templates } from './templates.js';
import type { LoadedService } from './virtual-servers.js';

export interface ScheduleOptions {
  readonly connections: Connections;
  readonly templates: Templates;
}

export interface NewConnection {
  readonly service: LoadedService;
  readonly packet: PacketState;
  readonly entry: MutableEntry | undefined;
  /** Nothing is remembered, not even whose turn it is. */
  readonly dryRun: boolean;
}

/** Finds a server for a client's first packet, and remembers the connection. Undefined: no server can take it. 'full': nothing more is remembered. */
export function schedule(
  { service, packet, entry, dryRun }: NewConnection,
  { connections, templates }: ScheduleOptions,
): VirtualConnection | 'full' | undefined {
  const { definition, scheduler } = service;
  const seconds = definition.persistentSeconds;
  let template: Template | undefined = seconds === undefined ? undefined : templates.find(packet.src, definition);
  const server = template?.server ?? scheduler.schedule({ ...tupleOf(packet), protocol: definition.protocol }, dryRun);
  if (server === undefined) return undefined;
  if (seconds !== undefined && !dryRun) {
    template ??= templates.create(packet.src, definition, server);
    templates.renew(template, seconds);
  }
  const connection: VirtualConnection = {
    client: tupleOf(packet),
    service: definition,
    server,
    template: dryRun ? undefined : template,
    state: 'NONE',
    active: false,
    entry,
    expiresAt: 0,
  };
  return dryRun || connections.add(connection) ? connection : 'full';
}

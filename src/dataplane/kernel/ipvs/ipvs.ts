import type { Clock } from '../../../machinery/clock.js';
import type { Tuple } from '../../packet.js';
import type { Conntrack, MutableEntry } from '../conntrack.js';
import { NetfilterError } from '../errors.js';
import type { HookFunction } from '../hooks.js';
import type { IpvsProgram } from '../program.js';
import type { RouteTable } from '../routes.js';
import { createConnections, type VirtualConnection } from './connections.js';
import { ipvsHooks } from './hooks.js';
import { createTemplates } from './templates.js';
import { createVirtualServers, type LoadedService } from './virtual-servers.js';

/** The kernel's load balancer. */
export interface Ipvs {
  virtualServers(): readonly LoadedService[];
  /** Those of the dummy interface. */
  addresses(): readonly string[];
  sysctls(): Readonly<Record<string, number>>;
}

/** What the rest of the kernel sees of it. */
export interface IpvsModule extends Ipvs {
  readonly hooks: readonly HookFunction[];
  /** Both ends close the TCP connection of this client. */
  finish(client: Tuple): void;
  /** @throws NetfilterError for what `load` cannot do */
  check(program: IpvsProgram): void;
  load(program: IpvsProgram): void;
}

export interface IpvsOptions {
  readonly clock: Clock;
  readonly conntrack: Conntrack;
  readonly routes: RouteTable;
}

/** kube-proxy looks so often at the servers that it wants to delete. */
const LOOK_INTERVAL_MS = 60_000;

export function createIpvs({ clock, conntrack, routes }: IpvsOptions): IpvsModule {
  const services = createVirtualServers(clock);
  const connections = createConnections({ clock, conntrack });
  const templates = createTemplates(clock);
  const tried = new WeakMap<MutableEntry, VirtualConnection>();
  /** What takes each away again. */
  const bound = new Map<string, () => void>();
  let sysctls: Readonly<Record<string, number>> = {};

  let lookedAt = clock.now();

  const tick = (): void => {
    connections.expire();
    if (clock.now() - lookedAt < LOOK_INTERVAL_MS) return;
    lookedAt = clock.now();
    templates.expire();
    services.flush();
  };

  const isIdle = (): boolean => services.size === 0 && connections.size === 0;

  function unbind(address: string): void {
    bound.get(address)?.();
    bound.delete(address);
  }

  function bind({ full, addresses: { link, add, remove } }: IpvsProgram): void {
    const wanted = new Set(add);
    if (full) for (const address of bound.keys()) if (!wanted.has(address)) unbind(address);
    for (const address of remove) unbind(address);
    for (const address of add) if (!bound.has(address)) bound.set(address, routes.addAddress(link, address));
  }

  return {
    hooks: ipvsHooks({ routes, services, connections, templates, tried, tick, isIdle }),
    virtualServers() {
      tick();
      return services.all();
    },
    addresses: () => [...bound.keys()],
    sysctls: () => sysctls,
    finish(client) {
      const connection = connections.fromClient(client);
      if (connection === undefined) return;
      connections.advance(connection, 'in', 'fin');
      connections.advance(connection, 'out', 'fin');
    },
    check(program) {
      if (program.family !== routes.family) throw new NetfilterError(`this kernel is of ${routes.family}`);
      services.check(program);
    },
    load(program) {
      tick();
      services.load(program);
      bind(program);
      sysctls = { ...sysctls, ...program.sysctls };
    },
  };
}

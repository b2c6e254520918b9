import type { Clock } from '../../../machinery/clock.js';
import { NetfilterError } from '../errors.js';
import type { IpvsProgram } from '../program.js';
import { createServerList, type LoadedServer, newTraffic, type ServerList, type Traffic } from './real-servers.js';
import { createScheduler } from './schedulers/index.js';
import type { Scheduler } from './schedulers/types.js';
import { SCHEDULERS, type VirtualServer, virtualKey, type VirtualService } from './types.js';

/** A virtual server in the kernel. */
export interface LoadedService {
  readonly definition: VirtualServer;
  readonly servers: ServerList;
  readonly scheduler: Scheduler<LoadedServer>;
  readonly traffic: Traffic;
}

/** The table that `ipvsadm -L` lists. */
export interface VirtualServers {
  get(service: VirtualService): LoadedService | undefined;
  readonly size: number;
  all(): readonly LoadedService[];
  /** @throws NetfilterError for what `load` cannot do */
  check(program: IpvsProgram): void;
  load(program: IpvsProgram): void;
  /** Removes the servers that are to go and have no connections left. */
  flush(): void;
}

export function createVirtualServers(clock: Clock): VirtualServers {
  const services = new Map<string, LoadedService>();

  function set(definition: VirtualServer): void {
    const key = virtualKey(definition);
    const known = services.get(key);
    const servers = known?.servers ?? createServerList(definition.protocol === 'tcp');
    const sameScheduler =
      known?.definition.scheduler === definition.scheduler && known.definition.hashesPort === definition.hashesPort;
    const scheduler = sameScheduler
      ? known.scheduler
      : createScheduler<LoadedServer>(definition.scheduler, {
          now: () => clock.now(),
          hashesPort: definition.hashesPort === true,
        });
    if (servers.set(definition.realServers) || !sameScheduler) scheduler.update(servers.all);
    services.set(key, { definition, servers, scheduler, traffic: known?.traffic ?? newTraffic() });
  }

  function remove(key: string): void {
    services.get(key)?.servers.clear();
    services.delete(key);
  }

  return {
    get: service => services.get(virtualKey(service)),
    get size() {
      return services.size;
    },
    all: () => [...services.values()],
    check({ virtualServers }) {
      for (const { scheduler } of virtualServers)
        if (!SCHEDULERS.includes(scheduler)) throw new NetfilterError(`there is no scheduler ${scheduler}`);
    },
    load({ full, virtualServers, goneServers }) {
      const wanted = new Set(virtualServers.map(virtualKey));
      if (full) for (const key of services.keys()) if (!wanted.has(key)) remove(key);
      for (const gone of goneServers) remove(virtualKey(gone));
      for (const one of virtualServers) set(one);
    },
    flush() {
      for (const { servers, scheduler } of services.values()) if (servers.flush()) scheduler.update(servers.all);
    },
  };
}

import type { RouteTable } from '../../dataplane/kernel/routes.js';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Clock } from '../../machinery/clock.js';
import { POD_LINK } from './links.js';

export interface KernelOnDemandOptions {
  readonly clock: Clock;
  readonly routes: RouteTable;
  readonly make: () => Kernel;
  /** Called once, before somebody reads the rules or a packet goes through them. */
  readonly load: () => void;
}

/**
 * A kernel that is made with its first packet, and has rules from the first one on that they may concern: that is every
 * packet but the node's own to one of its Pods, which is what probes send.
 */
export function kernelOnDemand({ clock, routes, make, load }: KernelOnDemandOptions): Kernel {
  let kernel: Kernel | undefined;
  let asked = false;
  const bare = (): Kernel => (kernel ??= make());
  const withRules = (): Kernel => {
    const made = bare();
    if (!asked) {
      asked = true;
      load();
    }
    return made;
  };
  const isProbe = (hook: 'prerouting' | 'output', dst: string): boolean =>
    hook === 'output' && routes.lookup(dst)?.link === POD_LINK;
  return {
    family: routes.family,
    clock,
    routes,
    get xtables() {
      return withRules().xtables;
    },
    get nftables() {
      return withRules().nftables;
    },
    get ipsets() {
      return withRules().ipsets;
    },
    get ipvs() {
      return withRules().ipvs;
    },
    get loads() {
      return kernel?.loads ?? 0;
    },
    load: program => bare().load(program),
    connect: request => (isProbe(request.hook, request.dst) ? bare() : withRules()).connect(request),
    evaluate: (packet, context) => (isProbe(context.hook, packet.dst) ? bare() : withRules()).evaluate(packet, context),
    conntrack: () => kernel?.conntrack() ?? [],
    forget: entry => kernel?.forget(entry),
    cleanupUdp: services => kernel?.cleanupUdp(services) ?? 0,
  };
}

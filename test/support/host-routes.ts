import { createRouteTable, defaultRoute, type RouteTable } from '../../src/dataplane/kernel/routes.js';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import type { Kernel } from '../../src/dataplane/kernel/types.js';
import type { Kernels } from '../../src/nodeagent/network/kernels.js';
import { familyOf } from '../../src/machinery/ip.js';

/** The routes of a node with these addresses, of one family, all on "eth0", where everything else goes too. */
export function hostRoutes(...addresses: readonly string[]): RouteTable {
  const routes = createRouteTable(familyOf(addresses[0] ?? '') ?? 'IPv4');
  for (const address of addresses) routes.addAddress('eth0', address);
  routes.add({ destination: defaultRoute(routes.family), link: 'eth0' });
  return routes;
}

/** The kernels of a node whose addresses are of the family of `kernel`; of the other it has loopback. */
export function hostKernels(kernel: Kernel): Kernels {
  const { clock, family } = kernel;
  const other = family === 'IPv4' ? 'IPv6' : 'IPv4';
  const bare = createKernel({ clock, random: () => 0, routes: createRouteTable(other) });
  return family === 'IPv4' ? { IPv4: kernel, IPv6: bare } : { IPv4: bare, IPv6: kernel };
}

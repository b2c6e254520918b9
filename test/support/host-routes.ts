import { createRouteTable, defaultRoute, type RouteTable } from '../../src/dataplane/kernel/routes.js';
import { familyOf } from '../../src/machinery/ip.js';

/** The routes of a node with these addresses, of one family, all on "eth0", where everything else goes too. */
export function hostRoutes(...addresses: readonly string[]): RouteTable {
  const routes = createRouteTable(familyOf(addresses[0] ?? '') ?? 'IPv4');
  for (const address of addresses) routes.addAddress('eth0', address);
  routes.add({ destination: defaultRoute(routes.family), link: 'eth0' });
  return routes;
}

import { ENDPOINT_SLICES, NODES, SERVICE_CIDRS, SERVICES } from '../client/resources.js';
import { queryString, type RestClient } from '../client/rest-client.js';
import { createKernel } from '../dataplane/kernel/kernel.js';
import { createRouteTable, defaultRoute } from '../dataplane/kernel/routes.js';
import type { Kernel } from '../dataplane/kernel/types.js';
import type { Family } from '../dataplane/packet.js';
import { createProxier } from '../dataplane/proxiers/index.js';
import type { ProxyMode } from '../dataplane/proxiers/modes.js';
import { realClock } from '../machinery/clock.js';
import { parseCidr } from '../machinery/cidr.js';
import { NODE_LINK, POD_LINK } from '../nodeagent/network/links.js';
import { familyOf } from '../machinery/ip.js';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../machinery/types.js';
import type { ProxySettings } from '../nodeagent/proxy/proxy-settings.js';

export interface PreviewOptions {
  readonly nodeName: string;
  /** Undefined: the node's primary one. */
  readonly family?: Family;
  readonly mode: ProxyMode;
}

/** How the node's proxy was told to be: it says so with its rules, of which the fewest are asked for. */
const nodeSettings = async (
  client: RestClient,
  { nodeName, family }: PreviewOptions,
): Promise<{ readonly family: Family; readonly proxy: ProxySettings }> => {
  const query = queryString({ format: 'json', table: 'raw', family: family?.toLowerCase() });
  const path = `/api/v1/nodes/${encodeURIComponent(nodeName)}/proxy/rules${query}`;
  return (await client.request('GET', path)) as { family: Family; proxy: ProxySettings };
};

/** What a node would have programmed in another mode: compiled here, from what the API server says now. */
export async function previewRules(client: RestClient, options: PreviewOptions): Promise<Kernel> {
  const { nodeName, mode } = options;
  const { family, proxy: settings } = await nodeSettings(client, options);
  const [node, ranges] = await Promise.all([
    client.resource<Node>(NODES).get({ namespace: '', name: nodeName }),
    client.resource<ServiceCIDR>(SERVICE_CIDRS).list({}),
  ]);
  const nodeAddresses = (node.status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' && familyOf(address) === family ? [address] : [],
  );
  if (nodeAddresses.length === 0) throw new Error(`node ${nodeName} has no ${family} address`);
  const routes = createRouteTable(family);
  for (const address of nodeAddresses) routes.addAddress(NODE_LINK, address);
  for (const destination of (node.spec?.podCIDRs ?? []).filter(text => parseCidr(text)?.family === family))
    routes.add({ destination, link: POD_LINK });
  routes.add({ destination: defaultRoute(family), link: NODE_LINK });
  const kernel = createKernel({ clock: realClock, random: () => 0, routes });
  const proxier = createProxier({ ...settings, mode, clock: realClock, family, nodeName, nodeAddresses });
  proxier.setNode(node.metadata.labels ?? {}, node.spec?.podCIDRs);
  proxier.setServiceCidrs(ranges.items.flatMap(({ spec }) => spec?.cidrs ?? []));
  // All of them: how many endpoints there are, and who has which port, says how rules are written.
  for await (const page of client.resource<Service>(SERVICES).pages())
    for (const service of page) proxier.onServiceUpdate(service);
  for await (const page of client.resource<EndpointSlice>(ENDPOINT_SLICES).pages())
    for (const slice of page) proxier.onSliceUpdate(slice);
  const { program } = proxier.sync();
  if (program !== undefined) kernel.load(program);
  return kernel;
}

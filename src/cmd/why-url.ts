import { NODES, PODS, SERVICES } from '../client/resources.js';
import type { RestClient } from '../client/rest-client.js';
import { whyMissing } from '../explain/names.js';
import { because, type Verdict } from '../explain/verdict.js';
import { familyOf } from '../machinery/ip.js';
import { isStatusError } from '../machinery/status.js';
import type { Node, Pod, Service } from '../machinery/types.js';
import { firstReadyNode } from '../explain/trace-ends.js';
import { ask } from './why-request.js';
import { whyService } from './why-service.js';
import type { WhyOptions, WhyTarget } from './why-target.js';

type UrlTarget = Extract<WhyTarget, { kind: 'url' }>;

/** Who is named asks it as it stands. Else a name of the cluster is its Service, and an address is asked by who can reach it. */
export async function whyUrl(client: RestClient, target: UrlTarget, options: WhyOptions): Promise<Verdict> {
  const { url, host, port, protocol, path } = target;
  const { namespace, from } = options;
  const send = (sender: string): Promise<Verdict> => ask(client, { namespace, from: sender, url });
  if (from !== undefined) return send(from);
  if (familyOf(host) !== undefined)
    return send((await isOfNode(client, host)) ? 'host' : `node/${await firstReadyNode(client)}`);
  const [name = '', its = namespace, ...rest] = host.toLowerCase().replace(/\.$/, '').split('.');
  if (rest.length === 0 || rest[0] === 'svc') {
    const service = await findService(client, its, name);
    const transport = protocol === 'udp' || protocol === 'sctp' ? protocol : 'tcp';
    if (service !== undefined)
      return whyService(client, service, { ...options, asked: { port, protocol: transport }, protocol, path });
    const { text, missing, near } = await whyMissing(client, its, name);
    if (rest.length > 0 || !host.includes('.') || missing === 'service' || near !== undefined)
      return because({
        code: 'NameNotFound',
        message: `${host} is NXDOMAIN: ${text}`,
        details: [],
        objects: [],
        fix: near === undefined ? 'make the Service, or ask for another name' : `ask for ${near}`,
        show: missing === 'namespace' ? 'kubectl get namespaces' : `kubectl get svc -n ${its}`,
      });
  }
  return send(await runningPod(client, namespace));
}

async function findService(client: RestClient, namespace: string, name: string): Promise<Service | undefined> {
  try {
    return await client.resource<Service>(SERVICES).get({ namespace, name });
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** A port of a node is asked from outside. */
async function isOfNode(client: RestClient, address: string): Promise<boolean> {
  const { items } = await client.resource<Node>(NODES).list();
  return items.some(({ status }) => status?.addresses?.some(({ address: its }) => its === address));
}

/** Whose DNS is the cluster's: one of the namespace, else of any. */
async function runningPod(client: RestClient, namespace: string): Promise<string> {
  for (const where of [{ namespace }, {}]) {
    const { items } = await client.resource<Pod>(PODS).list({ ...where, fieldSelector: 'status.phase=Running' });
    const [pod] = items.filter(({ spec }) => spec?.dnsPolicy !== 'None' && spec?.hostNetwork !== true);
    if (pod !== undefined) return `pod/${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
  }
  throw new Error('no Pod runs that could ask for that name: make one, or name an address');
}

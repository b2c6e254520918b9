import { loadKubeConfig } from '../client/kubeconfig.js';
import { ENDPOINT_SLICES } from '../client/resources.js';
import { createClient, type RestClient } from '../client/rest-client.js';
import type { EndpointSlice } from '../machinery/types.js';
import { fail, FlagError, kubeconfigFile } from './process.js';
import { diffRules, formatRules, type NodeRules, ofService, rulesOf, type ShownRule } from './rules-text.js';

/** Asks node agents, through the API server, and prints what they say. Exit code 1 when two nodes differ. */
export async function runRules(node: string, flags: Readonly<Record<string, string>>): Promise<void> {
  try {
    const service = flags['service'];
    if (service !== undefined && !/^[^/]+\/[^/]+$/.test(service))
      throw new FlagError(`invalid argument ${JSON.stringify(service)} for "--service" flag: want namespace/name`);
    const client = createClient(await loadKubeConfig(kubeconfigFile(flags['kubeconfig'])), 'kubette-rules');
    const other = flags['diff'];
    const path = (name: string): string => `/api/v1/nodes/${encodeURIComponent(name)}/proxy/rules`;
    if (service === undefined && other === undefined) {
      process.stdout.write(await client.transport.fetch({ method: 'GET', path: path(node) }));
      client.close();
      return;
    }
    const slices = service === undefined ? undefined : await slicesOf(client, service);
    const shown = async (name: string): Promise<readonly ShownRule[]> => {
      const rules = rulesOf((await client.request('GET', `${path(name)}?format=json`)) as NodeRules);
      return service === undefined ? rules : ofService(rules, service, slices ?? new Set());
    };
    const mine = await shown(node);
    const text = other === undefined ? formatRules(mine) : diffRules(mine, await shown(other));
    client.close();
    if (other === undefined && text === '')
      throw new Error(`nothing is programmed for service ${service ?? ''} on ${node}`);
    process.stdout.write(text);
    if (other !== undefined && text !== '') process.exitCode = 1;
  } catch (error) {
    fail('rules', error);
  }
}

/** "namespace/name" of the Service's slices: rules of endpoints name those. */
async function slicesOf(client: RestClient, service: string): Promise<ReadonlySet<string>> {
  const [namespace = '', name = ''] = service.split('/', 2);
  const { items } = await client
    .resource<EndpointSlice>(ENDPOINT_SLICES)
    .list({ namespace, labelSelector: `kubernetes.io/service-name=${name}` });
  return new Set(items.map(slice => `${namespace}/${slice.metadata.name ?? ''}`));
}

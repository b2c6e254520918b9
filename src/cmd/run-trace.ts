import { loadKubeConfig } from '../client/kubeconfig.js';
import { PODS } from '../client/resources.js';
import { createClient, queryString } from '../client/rest-client.js';
import type { Pod } from '../machinery/types.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace.js';
import { sourcesOf } from './trace-names.js';
import { fail, FlagError, kubeconfigFile } from './process.js';
import { formatTrace } from './trace-text.js';

/** Asks the agent of the Pod's node, through the API server, and prints what it says. Exit code 1 when the request failed. */
export async function runTrace(
  target: string,
  url: string,
  flags: Readonly<Record<string, string | boolean>>,
): Promise<void> {
  try {
    const output = String(flags['output']);
    if (output !== 'text' && output !== 'json')
      throw new FlagError(`invalid argument ${JSON.stringify(output)} for "--output" flag: want text or json`);
    const config = await loadKubeConfig(kubeconfigFile(flags['kubeconfig']));
    const client = createClient(config, 'kubette-trace');
    const [namespace, name] = target.includes('/')
      ? (target.split('/', 2) as [string, string])
      : [config.namespace, target];
    const pod = await client.resource<Pod>(PODS).get({ namespace, name });
    const node = pod.spec?.nodeName;
    if (node === undefined) throw new Error(`pod ${namespace}/${name} is not on a node yet`);
    const query = queryString({ pod: `${namespace}/${name}`, url });
    const report = (await client.request('GET', `/api/v1/nodes/${node}/proxy/trace${query}`)) as TraceReport;
    const sources = output === 'text' ? await sourcesOf(client, report.lookup) : [];
    client.close();
    process.stdout.write(
      output === 'json'
        ? `${JSON.stringify(report, undefined, 2)}\n`
        : formatTrace(report, { dns: flags['dns'] === true, sources }),
    );
    if (report.error !== undefined) process.exitCode = 1;
  } catch (error) {
    fail('trace', error);
  }
}

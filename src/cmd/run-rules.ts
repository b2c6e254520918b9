import { loadKubeConfig } from '../client/kubeconfig.js';
import { ENDPOINT_SLICES } from '../client/resources.js';
import { createClient, type RestClient } from '../client/rest-client.js';
import type { Kernel } from '../dataplane/kernel/types.js';
import { isProxyMode, PROXY_MODES, type ProxyMode } from '../dataplane/proxiers/modes.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import { describeKernel } from '../dataplane/tools/describe.js';
import { formatOf, printRules } from '../dataplane/tools/print-rules.js';
import type { EndpointSlice } from '../machinery/types.js';
import { fail, FlagError, invalidArgument, kubeconfigFile, signalOnTermination } from './process.js';
import { openRuleSyncs } from './rule-syncs.js';
import { previewRules } from './rules-preview.js';
import {
  diffRules,
  formatRules,
  formatSync,
  type NodeRules,
  ofService,
  rulesOf,
  type ShownRule,
} from './rules-text.js';

type Flags = Readonly<Record<string, string | boolean>>;

const FAMILIES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;

/** What a node has programmed, or would have in another mode. */
interface Asked {
  readonly node: string;
  readonly mode?: ProxyMode;
}

interface Context {
  readonly client: RestClient;
  /** Undefined: the node's primary one. */
  readonly family?: keyof typeof FAMILIES;
  /** "namespace/name"; undefined: all rules. */
  readonly service?: string;
}

/** Asks node agents, through the API server, and prints what they say. Exit code 1 when two sides differ. */
export async function runRules(node: string, flags: Flags): Promise<void> {
  try {
    const { service, family, mode, diff } = checked(flags);
    const client = createClient(await loadKubeConfig(kubeconfigFile(flags['kubeconfig'])), 'kubette-rules');
    const context: Context = { client, ...(family && { family }), ...(service && { service }) };
    const asked: Asked = { node, ...(mode && { mode }) };
    try {
      if (flags['watch'] === true) return await watch(context, node);
      if (diff !== undefined) {
        const other = isProxyMode(diff) ? { node, mode: diff } : { node: diff };
        const text = diffRules(await shown(context, asked), await shown(context, other));
        process.stdout.write(text);
        if (text !== '') process.exitCode = 1;
        return;
      }
      process.stdout.write(service === undefined ? await listed(context, asked) : await ofOne(context, asked, service));
    } finally {
      client.close();
    }
  } catch (error) {
    fail('rules', error);
  }
}

/** @throws FlagError */
function checked(flags: Flags) {
  const text = (name: string): string | undefined => {
    const value = flags[name];
    return typeof value === 'string' ? value : undefined;
  };
  const service = text('service');
  if (service !== undefined && !/^[^/]+\/[^/]+$/.test(service))
    throw invalidArgument('service', service, 'want namespace/name');
  const family = text('family');
  if (family !== undefined && !(family in FAMILIES)) throw invalidArgument('family', family, 'there are ipv4, ipv6');
  const mode = text('mode');
  if (mode !== undefined && !isProxyMode(mode))
    throw invalidArgument('mode', mode, `there are ${PROXY_MODES.join(', ')}`);
  const diff = text('diff');
  if (flags['watch'] === true && (mode !== undefined || diff !== undefined))
    throw new FlagError('--watch shows what a node does: it goes with neither --mode nor --diff');
  return { service, family: family as Context['family'], mode, diff };
}

const pathOf = (node: string, { family }: Context, query: string): string =>
  `/api/v1/nodes/${encodeURIComponent(node)}/proxy/rules?${query}${family === undefined ? '' : `&family=${family}`}`;

const ask = async (context: Context, node: string): Promise<NodeRules> =>
  (await context.client.request('GET', pathOf(node, context, 'format=json'))) as NodeRules;

const preview = ({ client, family }: Context, nodeName: string, mode: ProxyMode): Promise<Kernel> =>
  previewRules(client, { nodeName, mode, ...(family && { family: FAMILIES[family] }) });

/** As the tool of the mode prints it. */
async function listed(context: Context, { node, mode }: Asked): Promise<string> {
  if (mode === undefined) return context.client.transport.fetch({ method: 'GET', path: pathOf(node, context, '') });
  const kernel = await preview(context, node, mode);
  return printRules(kernel, formatOf(kernel));
}

async function shown(context: Context, { node, mode }: Asked): Promise<readonly ShownRule[]> {
  const answer: NodeRules =
    mode === undefined ? await ask(context, node) : describeKernel(await preview(context, node, mode));
  const { service } = context;
  return service === undefined
    ? rulesOf(answer)
    : ofService(rulesOf(answer), service, await slicesOf(context.client, service));
}

async function ofOne(context: Context, asked: Asked, service: string): Promise<string> {
  const text = formatRules(await shown(context, asked));
  if (text === '') throw new Error(`nothing is programmed for service ${service} on ${asked.node}`);
  return text;
}

/** Each sync of the node as what it changed, under the API changes that caused it, until Ctrl-C. */
async function watch(context: Context, node: string): Promise<void> {
  const signal = signalOnTermination();
  const path = pathOf(node, context, 'watch=true');
  const syncs = await openRuleSyncs(context.client, path, signal);
  let before = await shown(context, { node });
  try {
    for await (const sync of syncs) {
      if (context.family !== undefined && sync.family !== FAMILIES[context.family]) continue;
      const after = await shown(context, { node });
      const diff = diffRules(before, after);
      before = after;
      // Of one Service only what touches it.
      if (diff !== '' || context.service === undefined) process.stdout.write(formatSync(sync, diff));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** "namespace/name" of the Service's slices: rules of endpoints name those. */
async function slicesOf(client: RestClient, service: string): Promise<ReadonlySet<string>> {
  const [namespace = '', name = ''] = service.split('/', 2);
  const { items } = await client
    .resource<EndpointSlice>(ENDPOINT_SLICES)
    .list({ namespace, labelSelector: `${SERVICE_NAME_LABEL}=${name}` });
  return new Set(items.map(slice => `${namespace}/${slice.metadata.name ?? ''}`));
}

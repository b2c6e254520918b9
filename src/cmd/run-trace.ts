import { loadKubeConfig } from '../client/kubeconfig.js';
import { createClient, type RestClient } from '../client/rest-client.js';
import { isProxyMode, PROXY_MODES, type ProxyMode } from '../dataplane/proxiers/modes.js';
import { printTrace } from '../dataplane/tools/trace-text.js';
import { sourcesOf } from '../explain/names.js';
import { namespaceOf, sendTrace } from '../explain/send-trace.js';
import { findSender, findTarget } from '../explain/trace-ends.js';
import { reasonOf } from '../explain/trace-facts.js';
import { summarize } from '../explain/trace-summary.js';
import { formatTrace } from '../explain/trace-text.js';
import { familyOf } from '../machinery/ip.js';
import type { TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { NODE_LINK, ofFamily, POD_LINK } from '../nodeagent/network/links.js';
import { fail, invalidArgument, kubeconfigFile } from './process.js';
import { previewRules } from './rules-preview.js';

type Flags = Readonly<Record<string, string | boolean>>;

/** Asks an agent, through the API server, and prints what it says. Exit code 1 when the request failed. */
export async function runTrace(from: string, to: string, flags: Flags): Promise<void> {
  try {
    const { mode, json, protocol } = checked(flags);
    const config = await loadKubeConfig(kubeconfigFile(flags['kubeconfig']));
    const client = createClient(config, 'kubette-trace');
    try {
      const own = given(flags, 'namespace') ?? config.namespace;
      const sender = await findSender(client, from, own, given(flags, 'node'));
      const url = await findTarget(client, to, {
        namespace: namespaceOf(sender, own),
        sender: sender.kind,
        ...(protocol && { protocol }),
      });
      const sent = await sendTrace(client, sender, { url, ...asked(flags) });
      const report = mode === undefined ? sent : await inMode(client, sent, mode);
      const names = await sourcesOf(client, report.lookup);
      const reason = report.error === undefined ? undefined : await reasonOf(client, report, names);
      const shown = reason === undefined ? report : { ...report, reason };
      process.stdout.write(
        json
          ? `${JSON.stringify(shown, undefined, 2)}\n`
          : flags['verbose'] === true || flags['dns'] === true
            ? formatTrace(shown, { dns: flags['dns'] === true, sources: names })
            : summarize(report, reason, screen()),
      );
      if (report.error !== undefined) process.exitCode = 1;
    } finally {
      client.close();
    }
  } catch (error) {
    fail('trace', error);
  }
}

const given = (flags: Flags, name: string): string | undefined => {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
};

/** What the agent reads of the flags, which checks it. */
const asked = (flags: Flags): Record<string, string> =>
  Object.fromEntries(
    ['family', 'count', 'seed'].flatMap(name => {
      const value = given(flags, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** @throws FlagError */
function checked(flags: Flags): { mode?: ProxyMode; json: boolean; protocol?: string } {
  const output = given(flags, 'output') ?? 'text';
  if (output !== 'text' && output !== 'json') throw invalidArgument('output', output, 'want text or json');
  const mode = given(flags, 'mode');
  if (mode !== undefined && !isProxyMode(mode))
    throw invalidArgument('mode', mode, `there are ${PROXY_MODES.join(', ')}`);
  const protocol = given(flags, 'proto');
  return {
    json: output === 'json' || flags['json'] === true,
    ...(mode === undefined ? {} : { mode }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

const screen = () => ({
  colors: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  width: process.stdout.isTTY ? process.stdout.columns : undefined,
});

/** The first packet as the sender's node would treat it in another mode. Nothing is sent. */
async function inMode(client: RestClient, report: TraceReport, mode: ProxyMode): Promise<TraceReport> {
  const { connection, from, reply: _reply, datagram: _datagram, attempts: _attempts, error: _error, ...rest } = report;
  if (connection === undefined) return report;
  const { protocol: proto, to } = connection;
  const family = familyOf(to.address) ?? 'IPv4';
  const kernel = await previewRules(client, { nodeName: from.node, family, mode });
  const src = ofFamily(from.addresses, family) ?? '';
  const flow = { proto, src, srcPort: 40_000, dst: to.address, dstPort: to.port };
  const hook = from.kind === 'node' ? 'output' : 'prerouting';
  const inInterface = from.kind === 'node' ? {} : { inInterface: from.kind === 'pod' ? POD_LINK : NODE_LINK };
  const { packet, verdict, trace, rejectWith } = kernel.connect({ ...flow, hook, ...inInterface, dryRun: true });
  const out = { proto, src: packet.src, srcPort: packet.srcPort, dst: packet.dst, dstPort: packet.dstPort };
  const error =
    verdict === 'accept'
      ? undefined
      : verdict === 'drop'
        ? { code: 'ETIMEDOUT', message: 'dropped' }
        : { code: 'ECONNREFUSED', message: `rejected with ${rejectWith ?? ''}` };
  return {
    ...rest,
    from,
    connection: {
      ...connection,
      ...(error === undefined ? {} : { error }),
      steps: [
        {
          kind: 'netfilter',
          node: from.node,
          direction: 'request',
          hook,
          in: flow,
          out,
          verdict,
          rules: printTrace(trace, family),
        },
      ],
    },
    ...(error === undefined ? {} : { error: error.message }),
  };
}

import type { RestClient } from '../client/rest-client.js';
import { traceFacts } from '../explain/facts.js';
import { sourcesOf } from '../explain/names.js';
import { readyEndpoints, type ReadonlyServicePort } from '../explain/service-problem.js';
import { traceReason } from '../explain/trace-reason.js';
import type { Facts } from '../explain/types.js';
import { requestVerdict, type Verdict } from '../explain/verdict.js';
import { isNodeReady } from '../machinery/node-ready.js';
import { joinHostPort } from '../machinery/ip.js';
import type { ObjectKey, Service } from '../machinery/types.js';
import { namespaceOf, sendTrace } from '../explain/send-trace.js';
import { findSender, findTarget, firstReadyNode, type Sender } from '../explain/trace-ends.js';
import type { ServiceQuestion } from './why-target.js';

interface Request {
  readonly namespace: string;
  readonly from: string;
  readonly url: string;
}

/** Sends one real request and judges what became of it. @throws Error when the sender is not there */
export async function ask(client: RestClient, { namespace, from, url }: Request): Promise<Verdict> {
  return send(client, await findSender(client, from, namespace), url);
}

/** `service`: whose endpoint is asked by its address. */
async function send(client: RestClient, sender: Sender, url: string, service?: ObjectKey): Promise<Verdict> {
  const report = await sendTrace(client, sender, { url });
  const asked = await sourcesOf(client, report.lookup);
  const names = service === undefined ? asked : [{ name: report.lookup.name, text: '', service }, ...asked];
  if (report.error === undefined) return requestVerdict(report, undefined);
  return requestVerdict(report, traceReason(report, await traceFacts(client, report, names), names));
}

/** A Service, and what is asked of it. */
export interface Way {
  readonly service: Service;
  readonly facts: Facts;
  readonly question: ServiceQuestion;
}

/** Asks one port of a Service, as who is named or, as everybody does, by way of a node's rules. */
export async function askPort(client: RestClient, way: Way, port: ReadonlyServicePort | undefined): Promise<Verdict> {
  const { service, question } = way;
  const { namespace, path = '' } = question;
  const { namespace: its = '', name = '' } = service.metadata;
  const isAlias = service.spec?.type === 'ExternalName';
  const from = question.from ?? (isAlias ? await anyPod(way) : undefined) ?? `node/${await firstReadyNode(client)}`;
  const sender = await findSender(client, from, namespace);
  const scheme = question.protocol ?? schemeOf(port);
  const number = port?.port ?? question.asked?.port ?? 80;
  const endpoint = sender.kind === 'node' && service.spec?.clusterIP === 'None' ? endpointOf(way, port) : undefined;
  const url =
    endpoint === undefined
      ? await findTarget(client, isAlias ? `${name}.${its}:${number}` : `svc/${its}/${name}:${number}`, {
          namespace: namespaceOf(sender, ''),
          sender: sender.kind,
          protocol: scheme,
        })
      : `${scheme}://${joinHostPort(endpoint, number)}`;
  const key = { namespace: its, name };
  return send(
    client,
    sender,
    scheme.startsWith('http') ? `${url}${path}` : url,
    endpoint === undefined ? undefined : key,
  );
}

const endpointOf = ({ service, facts }: Way, port: ReadonlyServicePort | undefined): string | undefined =>
  readyEndpoints(service, port, facts.slices)[0]?.addresses[0];

/** A name outside is a matter of the cluster's DNS, which Pods ask. */
async function anyPod({ facts }: Way): Promise<string | undefined> {
  const pod = facts.pods.find(
    ({ status, spec }) =>
      status?.phase === 'Running' &&
      (facts.nodes ?? []).some(node => node.metadata.name === spec?.nodeName && isNodeReady(node)),
  );
  return pod === undefined ? undefined : `pod/${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
}

/** As the port says itself; a connection alone says nothing of who answers it. */
function schemeOf(port: ReadonlyServicePort | undefined): string {
  const { protocol = 'TCP', appProtocol = '', name = '', port: number = 80 } = port ?? {};
  if (protocol !== 'TCP') return protocol.toLowerCase();
  const word = (appProtocol === '' ? name : appProtocol).toLowerCase();
  if (word.startsWith('https') || number === 443) return 'https';
  return word.startsWith('http') || number === 80 || number === 8080 ? 'http' : 'tcp';
}

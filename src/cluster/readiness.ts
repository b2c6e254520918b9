import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import { ENDPOINT_SLICES, INGRESS_CLASSES, LEASES, NODES } from '../client/resources.js';
import type { RestClient } from '../client/rest-client.js';
import { CLASS } from '../ingress/names.js';
import type { Clock } from '../machinery/clock.js';
import { isNodeReady } from '../machinery/node-ready.js';
import type { EndpointSlice, Lease, Node } from '../machinery/types.js';

const POLL_MS = 20;
const ANSWER_TIMEOUT_MS = 1_000;

/** Asks until the answer is not an exception. */
export async function untilReady(
  clock: Clock,
  signal: AbortSignal,
  ask: () => Promise<unknown>,
  pollMs = POLL_MS,
): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      // Whoever gives up knows why; the last answer only says that it is not there yet.
      if (signal.aborted) throw (signal.reason as Error) ?? error;
      await clock.sleep(pollMs, signal, { work: true });
    }
  }
}

/** @throws Error while a node is missing or not Ready */
export async function nodesReady(client: RestClient, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const { items } = await client.resource<Node>(NODES).list();
  const ready = new Set(items.filter(isNodeReady).map(node => node.metadata.name));
  const missing = names.filter(name => !ready.has(name));
  if (missing.length > 0) throw new Error(`not ready: ${missing.slice(0, 10).join(', ')}`);
}

/** Sends the cluster DNS a real question, where its EndpointSlice says it listens. @throws Error while there is no answer */
export async function dnsAnswers(client: RestClient, clock: Clock): Promise<void> {
  const { items } = await client
    .resource<EndpointSlice>(ENDPOINT_SLICES)
    .list({ namespace: 'kube-system', labelSelector: 'kubernetes.io/service-name=kube-dns' });
  // The API server's Service has an address of the same family.
  const type = items[0]?.addressType === 'IPv6' ? 'AAAA' : 'A';
  const port = items.flatMap(slice => slice.ports ?? []).find(p => p.protocol === 'UDP')?.port;
  if (port === undefined) throw new Error('kube-dns has no endpoint yet');
  const question = encode({
    type: 'query',
    id: 1,
    flags: 0,
    questions: [{ type, name: 'kubernetes.default.svc.cluster.local' }],
  });
  const socket = createSocket('udp4');
  try {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('error', reject);
      clock.after(ANSWER_TIMEOUT_MS, () => reject(new Error('kube-dns does not answer')), {
        unref: true,
        work: true,
      });
      socket.connect(port, '127.0.0.1', () => socket.send(question));
    });
    if ((decode(answer).answers ?? []).length === 0) throw new Error('kube-dns does not know kubernetes.default yet');
  } finally {
    socket.close();
  }
}

/** How long a start waits for the class: somebody's admission policy may refuse it. */
const CLASS_MS = 1_000;

/** Ingresses that name no class get the one there is when they come: one that comes right after the start, too. */
export async function ingressClassIsThere(client: RestClient, clock: Clock, signal: AbortSignal): Promise<void> {
  const late = clock.monotonic() + CLASS_MS;
  await untilReady(clock, signal, async () => {
    if (clock.monotonic() < late) await client.resource(INGRESS_CLASSES).get({ namespace: '', name: CLASS });
  });
}

/** @throws Error until a controller manager holds its lease, and renewed it after `sinceMs` */
export async function controllersLead(client: RestClient, sinceMs: number): Promise<void> {
  const lease = await client.resource<Lease>(LEASES).get({ namespace: 'kube-system', name: 'kube-controller-manager' });
  const renewed = Date.parse(String(lease.spec?.renewTime ?? ''));
  if ((lease.spec?.holderIdentity ?? '') === '' || !(renewed >= sinceMs))
    throw new Error('no controller manager leads yet');
}

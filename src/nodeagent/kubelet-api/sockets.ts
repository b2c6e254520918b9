import { HttpError, sendJson, type KubeletRoute } from './types.js';

/** GET /sockets?pod=namespace/name: the ports on which something listens in a Pod, by protocol; `loopback` only for itself. */
export const sockets: KubeletRoute = async ({ pods, nodeName }, { url, response }) => {
  const text = url.searchParams.get('pod') ?? '';
  const [namespace = '', name = '', ...more] = text.split('/', 3);
  const worker = more.length > 0 ? undefined : pods.find(namespace, name);
  if (worker === undefined)
    throw new HttpError(404, `pod ${JSON.stringify(text.slice(0, 512))} does not run on ${nodeName}`);
  const { tcp = [], udp = [], sctp = [], loopback = [] } = worker.network?.ports?.() ?? {};
  const sorted = (ports: readonly number[]): number[] => [...ports].sort((a, b) => a - b);
  const reachable = tcp.filter(port => !loopback.includes(port));
  sendJson(response, { tcp: sorted(reachable), udp: sorted(udp), sctp: sorted(sctp), loopback: sorted(loopback) });
};

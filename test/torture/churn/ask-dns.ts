import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import { ENDPOINT_SLICES } from '../../../src/client/resources.js';
import type { RestClient } from '../../../src/client/rest-client.js';
import { realClock } from '../../../src/machinery/clock.js';
import type { EndpointSlice } from '../../../src/machinery/types.js';

const ANSWER_MS = 2_000;
/** The low bits of a message's third and fourth byte. */
const RCODE = 0x0f;

/** Where the cluster's DNS listens. @throws while it says nothing */
export async function dnsPort(client: RestClient): Promise<number> {
  const { items } = await client
    .resource<EndpointSlice>(ENDPOINT_SLICES)
    .list({ namespace: 'kube-system', labelSelector: 'kubernetes.io/service-name=kube-dns' });
  const port = items.flatMap(({ ports }) => ports ?? []).find(({ protocol }) => protocol === 'UDP')?.port;
  if (port === undefined) throw new Error('kube-dns has no endpoint');
  return port;
}

/** The addresses of a name. @throws where nobody answers */
export async function askDns(port: number, name: string): Promise<{ code: number; addresses: string[] }> {
  const socket = createSocket('udp4');
  try {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('error', reject);
      realClock.after(ANSWER_MS, () => reject(new Error('DNS does not answer')), { unref: true });
      const question = encode({ type: 'query', id: 1, questions: [{ type: 'A', name }] });
      socket.connect(port, '127.0.0.1', () => socket.send(question));
    });
    const addresses = (decode(answer).answers ?? []).flatMap(one => (one.type === 'A' ? [one.data] : []));
    return { code: (answer[3] ?? 0) & RCODE, addresses };
  } finally {
    socket.close();
  }
}

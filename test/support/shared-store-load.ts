import { loadKubeConfig } from '../../src/client/kubeconfig.js';
import { createClient, type RestClient } from '../../src/client/rest-client.js';
import { StatusError } from '../../src/machinery/status.js';
import type { KubeObject, Service } from '../../src/machinery/types.js';
import { realClock } from '../../src/machinery/clock.js';

/** What was answered, by name; what nobody answered may be there or not. */
export interface Load {
  /** The last value that was acknowledged, and what may have come after it. */
  readonly values: ReadonlyMap<string, { readonly acknowledged: number; readonly tried: number }>;
  /** Services that were made, and that nobody has asked to go. */
  readonly held: ReadonlyMap<string, { readonly uid: string; readonly claims: readonly string[] }>;
  /** Values that two had at a time. */
  readonly twice: readonly string[];
  answers(): number;
  errors(): number;
  stop(): Promise<void>;
}

const NAMESPACE = 'default';
const PAUSE_MS = 20;

/** ClusterIPs and node ports of a Service. */
export const claimsOf = ({ spec }: Service): string[] => [
  ...(spec?.clusterIPs ?? []),
  ...(spec?.ports ?? []).flatMap(({ nodePort }) => (nodePort === undefined ? [] : [`port ${nodePort}`])),
];

/** Writers that go on whatever happens, and remember what they were told. */
export async function startLoad(kubeconfig: string, writers: number): Promise<Load> {
  const config = await loadKubeConfig(kubeconfig);
  const values = new Map<string, { acknowledged: number; tried: number }>();
  const held = new Map<string, { uid: string; claims: string[] }>();
  const owners = new Map<string, string>();
  const twice: string[] = [];
  let [answers, errors, stopping] = [0, 0, false];

  /** undefined: nobody knows what came of it. */
  const ask = async <T>(client: RestClient, method: string, path: string, body?: object): Promise<T | undefined> => {
    try {
      const answer = (await client.request(method, path, body)) as T;
      answers++;
      return answer;
    } catch (error) {
      errors++;
      // What was said about the object is an answer, too: it was done the last time.
      if (error instanceof StatusError && [404, 409].includes(error.code)) return undefined;
      await realClock.sleep(PAUSE_MS);
      return undefined;
    }
  };

  const counts = async (client: RestClient, name: string): Promise<void> => {
    const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
    const metadata = { name };
    while (!stopping && (await ask(client, 'POST', path, { metadata, data: { value: '0' } })) === undefined)
      if ((await ask(client, 'GET', `${path}/${name}`)) !== undefined) break;
    values.set(name, { acknowledged: 0, tried: 0 });
    for (let tried = 1; !stopping; tried++) {
      const { acknowledged } = values.get(name) ?? { acknowledged: 0 };
      values.set(name, { acknowledged, tried });
      const put = await ask(client, 'PUT', `${path}/${name}`, { metadata, data: { value: String(tried) } });
      if (put !== undefined) values.set(name, { acknowledged: tried, tried });
    }
  };

  const services = async (client: RestClient, writer: string): Promise<void> => {
    const path = `/api/v1/namespaces/${NAMESPACE}/services`;
    for (let i = 0; !stopping; i++) {
      const name = `${writer}-${i}`;
      const spec = { type: 'NodePort', selector: { app: name }, ports: [{ port: 80 }] };
      const made = await ask<Service>(client, 'POST', path, { metadata: { name }, spec });
      if (made !== undefined) {
        const claims = claimsOf(made);
        held.set(name, { uid: made.metadata.uid ?? '', claims });
        for (const claim of claims) {
          if (owners.has(claim)) twice.push(`${claim}: ${owners.get(claim) ?? ''} and ${name}`);
          owners.set(claim, name);
        }
      }
      const oldest = i % 3 === 0 ? [...held.keys()].find(one => one.startsWith(`${writer}-`)) : undefined;
      if (oldest === undefined) continue;
      // From now on its values may be anybody's.
      for (const claim of held.get(oldest)?.claims ?? []) owners.delete(claim);
      held.delete(oldest);
      for (let gone = false; !gone && !stopping;) {
        gone = (await ask<KubeObject>(client, 'DELETE', `${path}/${oldest}`)) !== undefined;
        gone ||= (await ask(client, 'GET', `${path}/${oldest}`)) === undefined;
      }
    }
  };

  const clients: RestClient[] = [];
  const running = Array.from({ length: writers }, (_, i) => {
    const client = createClient(config, `load-${i}`);
    clients.push(client);
    return i % 2 === 0 ? counts(client, `count-${i}`) : services(client, `service-${i}`);
  });
  return {
    values,
    held,
    twice,
    answers: () => answers,
    errors: () => errors,
    async stop() {
      stopping = true;
      await Promise.all(running);
      for (const client of clients) client.close();
    },
  };
}

import type { Process } from '../process.js';
import { resolvePath } from '../file-system.js';
import { httpCall } from '../network/http-client.js';
import { readBody } from './agnhost/http.js';

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What a Pod asks of its API server. */
export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Path and query. */
  readonly path: string;
  /** Default: application/json. */
  readonly accept?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: application/json. */
  readonly contentType?: string;
  /** Default: KUBERNETES_SERVICE_HOST. */
  readonly host?: string;
  readonly port?: number;
  /** Sent as the bearer token; default: the service account's. */
  readonly token?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

const text = async ({ container, cwd }: Process, path: string): Promise<string> =>
  (await container.files.read(resolvePath(cwd, path))).toString('utf8');

export const serviceAccountToken = (process: Process): Promise<string> => text(process, `${MOUNT}/token`);

/**
 * Asks the API server as an in-cluster client library does: the address from the environment, the Pod's own token, and the
 * cluster's CA alone is trusted.
 * @throws FileError without a mounted token, NetworkError, Error of TLS, or the process's end
 */
export async function callApi(process: Process, call: ApiCall): Promise<ApiAnswer> {
  const { container, env, signal } = process;
  const { KUBERNETES_SERVICE_HOST = '', KUBERNETES_SERVICE_PORT = '443' } = env;
  const host = call.host ?? KUBERNETES_SERVICE_HOST;
  const port = call.port ?? Number(KUBERNETES_SERVICE_PORT);
  const token = call.token ?? (await serviceAccountToken(process));
  const [address] = (await container.resolver.lookup(host, { signal })).addresses;
  if (address === undefined) throw new Error(`dial tcp: lookup ${host}: no such host`);
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const { response, stream } = await httpCall(
    container.network,
    {
      to: { address, port },
      method: call.method ?? 'GET',
      path: call.path,
      headers: [
        ['Host', `${host}:${port}`],
        ['Accept', call.accept ?? 'application/json'],
        ['Authorization', `Bearer ${token}`],
        ['Connection', 'close'],
        ...(body === undefined
          ? []
          : ([
              ['Content-Type', call.contentType ?? 'application/json'],
              ['Content-Length', String(body.length)],
            ] as const)),
      ],
      tls: { serverName: host, verify: true, ca: await text(process, `${MOUNT}/ca.crt`) },
      ...(body === undefined ? {} : { body }),
    },
    { signal },
  );
  try {
    return { status: response.statusCode ?? 0, body: (await readBody(response)).toString('utf8') };
  } finally {
    stream.destroy();
  }
}

import type { IncomingMessage } from 'node:http';
import type { DeepReadonly, Probe } from '../../machinery/types.js';
import { resolvePort } from '../../containers/images/container-port.js';
import { DeadlineExceeded } from '../../machinery/deadline.js';
import { KUBERNETES_RELEASE } from '../../machinery/kubernetes-version.js';
import { NetworkError } from '../../containers/network/errors.js';
import { httpCall } from '../../containers/network/http-client.js';
import { broken, dialError, failure, success, type ProbeResult, type ProbeTarget } from './probe-result.js';

type HttpGet = NonNullable<DeepReadonly<Probe>['httpGet']>;

const MAX_BODY = 10 * 1024;
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** An HTTP probe: redirects on the same host are followed, one to another host is success with a warning. */
export async function httpProbe(get: HttpGet, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const port = resolvePort(get.port, target.spec);
  if (port === undefined) return broken(`couldn't find port: ${String(get.port)}`);
  const address = get.host ?? target.podIP;
  const scheme = (get.scheme ?? 'HTTP').toLowerCase();
  const path = get.path?.startsWith('/') === true ? get.path : `/${get.path ?? ''}`;
  let step: Step = { scheme: `${scheme}:`, address, port, path };
  const headers = (get.httpHeaders ?? []).map(({ name, value }) => [name, value] as const);
  try {
    for (let redirects = 0; ; redirects++) {
      const { code, location, body } = await request(step, redirects === 0 ? headers : [], target, signal);
      const next: Step | undefined = REDIRECTS.has(code) ? following(step, location) : undefined;
      if (next === undefined || next.address !== address) {
        if (code >= 200 && code < 300) return success();
        if (code >= 300 && code < 400)
          return { outcome: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
        return failure(`HTTP probe failed with statuscode: ${code}`);
      }
      if (redirects + 1 >= MAX_REDIRECTS)
        return failure(`Get ${JSON.stringify(next.path)}: stopped after ${MAX_REDIRECTS} redirects`);
      step = next;
    }
  } catch (error) {
    target.signal.throwIfAborted();
    const at = `${step.address}:${step.port}`;
    const url = `${step.scheme}//${at}${step.path}`;
    if (error instanceof DeadlineExceeded)
      return failure(`Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`);
    if (error instanceof NetworkError) return failure(`Get "${url}": ${dialError(error, at)}`);
    return failure(`Get "${url}": EOF`);
  }
}

interface Step {
  readonly scheme: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
}

/** Where an answer sends the client; undefined: nowhere that it could go. */
function following({ scheme, address, port, path }: Step, location: string | undefined): Step | undefined {
  if (location === undefined || location === '') return undefined;
  const url = URL.parse(location, `${scheme}//${address}:${port}${path}`);
  const usual = url === null ? undefined : PORTS[url.protocol];
  if (url === null || usual === undefined) return undefined;
  const next = url.port === '' ? usual : Number(url.port);
  return { scheme: url.protocol, address: url.hostname, port: next, path: `${url.pathname}${url.search}` };
}

async function request(
  { scheme, address, port, path }: Step,
  own: readonly (readonly [string, string])[],
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<{ code: number; location: string | undefined; body: string }> {
  const headers = new Map<string, readonly [string, string]>([
    ['host', ['Host', `${address}:${port}`]],
    ['user-agent', ['User-Agent', `kube-probe/${KUBERNETES_RELEASE}`]],
    ['accept', ['Accept', '*/*']],
    ['connection', ['Connection', 'close']],
  ]);
  for (const header of own) headers.set(header[0].toLowerCase(), header);
  const { response, stream } = await httpCall(
    target.network,
    {
      to: { address, port },
      method: 'GET',
      path,
      headers: [...headers.values()],
      ...(scheme === 'https:' ? { tls: { serverName: address, verify: false } } : {}),
    },
    { signal },
  );
  try {
    const code = response.statusCode ?? 0;
    // Only what is shown is read.
    const body = code >= 300 && code < 400 ? await beginning(response, signal) : '';
    return { code, location: response.headers.location, body };
  } finally {
    stream.destroy();
  }
}

async function beginning(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (): void => void response.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= MAX_BODY) break;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY).toString('utf8');
}

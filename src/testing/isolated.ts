import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import { createTransport, type Transport } from '../client/transport.js';
import { realRandom } from '../machinery/random.js';
import { StatusError, type Status } from '../machinery/status.js';
import { behaviourText } from './behaviour.js';
import { createClusterApi, prepare } from './cluster-api.js';
import { ControlError } from './errors.js';
import type { IsolatedCluster, IsolatedFault } from './isolated-types.js';
import type { RequestFilter } from './request-types.js';
import type { Access, AccessConfig, ClusterOptions } from './types.js';

/** What `kubette test-server` prints when it is ready. */
interface Ready {
  readonly kubeconfig: string;
  readonly pid: number;
  readonly url: string;
  readonly control: string;
}

/** The command: beside the bundle that this is part of, or where the build has put that, seen from here or from the sources. */
const ENTRIES = ['./kubette.js', '../../dist/kubette.js', '../../build/dist/kubette.js'];

function entry(): string {
  const paths = ENTRIES.map(path => fileURLToPath(new URL(path, import.meta.url)));
  const found = paths.find(path => existsSync(path));
  if (found === undefined) throw new Error(`the kubette command is at none of ${paths.join(', ')}`);
  return found;
}

/** @throws Error with what the process said when it cannot start */
export async function createIsolatedCluster(options: ClusterOptions): Promise<IsolatedCluster> {
  const child = spawn(process.execPath, [entry(), 'test-server', ...flagsOf(options)], {
    // Its standard input is the leash: it ends when that is closed, as it is however this process ends.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const given = (): void => void child.kill();
  options.signal?.addEventListener('abort', given, { once: true });
  try {
    const ready = await firstLine(child, options.signal);
    const config = await loadKubeConfig(ready.kubeconfig);
    const { server, ca = '', cert = '', key = '' } = config;
    const client = createClient(config, 'kubette-testing');
    const control = createControl(ready.control);
    const hasControllers = options.apiServerOnly !== true;
    const api = createClusterApi({ client, uuid: () => realRandom.uuid(), hasControllers });
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> =>
      (stopped ??= (async () => {
        client.close();
        control.close();
        await end(child);
      })());
    try {
      await prepare(api, options, hasControllers);
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      ...(await accessOf(ready.kubeconfig, { server, ca, cert, key })),
      url: ready.url,
      pid: ready.pid,
      controlUrl: ready.control,
      apply: api.apply,
      waitFor: api.waitFor,
      namespace: api.namespace,
      trace: api.trace,
      faults: faultsOver(control),
      clock: {
        now: async () => (await control.ask<{ now: number }>('POST', '/clock')).now,
        advance: advance => control.ask('POST', '/clock', { advance }),
      },
      settled: () => control.ask('POST', '/settled'),
      reset: options => control.ask('POST', '/reset', options),
      async snapshot() {
        const { snapshot } = await control.ask<{ snapshot: string }>('GET', '/snapshot');
        return Buffer.from(snapshot, 'base64');
      },
      restore: (snapshot, options) =>
        control.ask('POST', '/restore', { ...options, snapshot: Buffer.from(snapshot).toString('base64') }),
      requests: filter => control.ask('POST', '/requests', plain(filter)),
      node: name => {
        const act = (action: string, rest: object = {}): Promise<void> =>
          control.ask('POST', `/nodes/${encodeURIComponent(name)}`, { action, ...rest });
        return {
          partition: () => act('partition'),
          heal: () => act('heal'),
          kill: () => act('kill'),
          start: () => act('start'),
          clockSkew: skew => act('clockSkew', { skew }),
        };
      },
      async as(user, groups = []) {
        const made = await control.ask<{ kubeconfigPath: string; config: AccessConfig }>('POST', '/as', {
          user,
          groups,
        });
        return accessOf(made.kubeconfigPath, made.config);
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await end(child);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', given);
  }
}

const flagsOf = (options: ClusterOptions): string[] => {
  const {
    nodes = 1,
    apiServerOnly,
    seed,
    record,
    behaviour,
    serviceClusterIpRange,
    controllers,
    ingress,
    proxyModes,
    recordLimit,
    clock,
    startTime,
  } = options;
  return [
    `--nodes=${typeof nodes === 'number' ? nodes : JSON.stringify(nodes)}`,
    ...(controllers === undefined ? [] : [`--controllers=${controllers.join(',')}`]),
    ...(proxyModes === undefined ? [] : [`--proxy-mode=${proxyModes.join(',')}`]),
    ...(recordLimit === undefined ? [] : [`--record-limit=${recordLimit}`]),
    ...(ingress === true ? ['--ingress'] : []),
    ...(apiServerOnly === true ? ['--api-server-only'] : []),
    ...(clock === undefined ? [] : [`--clock=${clock}`]),
    ...(startTime === undefined ? [] : [`--start-time=${startTime}`]),
    ...(seed === undefined ? [] : [`--seed=${seed}`]),
    ...(behaviour === undefined ? [] : [`--behaviour=${behaviourText(behaviour)}`]),
    ...(record === undefined ? [] : [`--record=${record}`]),
    ...(serviceClusterIpRange === undefined ? [] : [`--service-cluster-ip-range=${serviceClusterIpRange}`]),
  ];
};

async function firstLine(child: ChildProcess, signal: AbortSignal | undefined): Promise<Ready> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void (said = (said + text).slice(-4096)));
  if (child.stdout === null) throw new Error('the process has no output');
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => undefined);
  const [line] = (await Promise.race([once(lines, 'line') as Promise<[string]>, ended])) ?? [];
  if (signal?.aborted === true) throw signal.reason;
  if (line === undefined) throw new Error(`the cluster's process could not start: ${said.trim()}`);
  return JSON.parse(line) as Ready;
}

/** Lets go of the leash, and waits until it is gone. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

async function accessOf(kubeconfigPath: string, config: AccessConfig): Promise<Access> {
  const { readFile } = await import('node:fs/promises');
  const kubeconfig = await readFile(kubeconfigPath, 'utf8');
  return { kubeconfig, kubeconfigPath, env: { KUBECONFIG: kubeconfigPath }, config };
}

interface Control {
  ask<T>(method: string, path: string, input?: object): Promise<T>;
  close(): void;
}

function createControl(url: string): Control {
  const { pathname } = new URL(url);
  const transport: Transport = createTransport(
    { server: url, insecureSkipTlsVerify: false, namespace: 'default' },
    'kubette-testing',
  );
  return {
    async ask<T>(method: string, path: string, input: object = {}): Promise<T> {
      const answer = await transport.open({
        method,
        path: `${pathname}${path}`,
        body: JSON.stringify(input),
        idleTimeoutMs: 0,
      });
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
      if ((answer.statusCode ?? 0) >= 400) throw errorOf(value);
      return value as T;
    },
    close: () => transport.close(),
  };
}

/** As it was thrown over there. */
function errorOf(value: unknown): Error {
  const { error = '', message = '', status } = value as { error?: string; message?: string; status?: Status };
  if (status !== undefined)
    return new StatusError(status.code ?? 500, status.reason, status.message ?? '', status.details);
  return error === 'RangeError' ? new RangeError(message) : new ControlError(message);
}

/** @throws TypeError for an expression, which is of this process */
function plain(filter: RequestFilter = {}): RequestFilter {
  const expression = Object.entries(filter).find(([, value]) => value instanceof RegExp);
  if (expression !== undefined) throw new TypeError(`${expression[0]}: an isolated cluster takes texts only`);
  return filter;
}

function faultsOver(control: Control): IsolatedCluster['faults'] {
  const set = async (fault: string, input: object = {}): Promise<IsolatedFault> => {
    const { id } = await control.ask<{ id: string }>('POST', '/faults', { fault, ...plain(input) });
    return {
      hits: async () => (await control.ask<{ hits: number }>('GET', `/faults/${id}`)).hits,
      end: () => control.ask('DELETE', `/faults/${id}`),
    };
  };
  return {
    next: input => set('next', input),
    conflict: input => set('conflict', input),
    latency: input => set('latency', input),
    gone: input => set('gone', input),
    stale: input => set('stale', input),
    async cut(input) {
      await set('cut', input);
    },
    async slowDisk(delay) {
      await set('slowDisk', { delay });
    },
    clear: () => control.ask('DELETE', '/faults'),
  };
}

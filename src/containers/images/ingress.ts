import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import type { ClientConfig } from '../../client/kubeconfig.js';
import type { Process, Program } from '../process.js';
import { untilStopped } from './http-server.js';
import type { KnownImage } from './types.js';

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** As client libraries look whether their token has been changed for a newer one. */
const TOKEN_MS = 60_000;

/** The cluster as a process in a Pod knows it: by its environment, its service account's token, over its own network. */
async function inClusterConfig(process: Process, signal: AbortSignal): Promise<ClientConfig> {
  const { container, env } = process;
  const { clock, files, network } = container;
  const text = async (name: string): Promise<string> => (await files.read(`${MOUNT}/${name}`)).toString('utf8');
  const address = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = Number(env['KUBERNETES_SERVICE_PORT'] ?? '443');
  let token = await text('token');
  const refresh = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(TOKEN_MS, signal, { unref: true });
      try {
        token = await text('token');
      } catch (error) {
        signal.throwIfAborted();
        await process.stderr.write(`token: ${(error as Error).message}\n`);
      }
    }
  };
  refresh().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    server: `https://${isIP(address) === 6 ? `[${address}]` : address}:${port}`,
    ca: await text('ca.crt'),
    get token() {
      return token;
    },
    insecureSkipTlsVerify: false,
    namespace: await text('namespace'),
    dial: () => network.connect({ address, port }, { signal }),
  };
}

const controller: Program = async process => {
  const { container, signal } = process;
  const { network, clock, random, pod } = container;
  // Few nodes run it: the others need not know it.
  const { runIngress } = await import('../../ingress/run-ingress.js');
  const stopping = new AbortController();
  const ends = AbortSignal.any([stopping.signal, signal]);
  // Every watch and wait of the controller listens to it.
  setMaxListeners(0, ends);
  const config = await inClusterConfig(process, ends);
  const running = runIngress(
    {
      ...{ config, clock, random, namespace: config.namespace, name: pod.name },
      dial: (to, wait) => network.connect(to, { signal: wait }),
      listen: (port, onConnection) => network.listen(port, stream => onConnection(stream)),
      log: line => void process.stdout.write(`${line}\n`),
    },
    ends,
  );
  const stopped = untilStopped(process).finally(() => stopping.abort(new Error('the controller is told to stop')));
  try {
    await Promise.race([running, stopped]);
    return 0;
  } finally {
    stopping.abort(new Error('the controller has ended'));
    await running.catch((error: unknown) => {
      if (!ends.aborted) throw error;
    });
  }
};

/** The ingress controller that a cluster brings along. */
export const ingress: KnownImage = {
  about: 'the ingress controller that a cluster brings along: Ingresses of class kubette, Gateways and HTTPRoutes',
  ports: ['80', '443'],
  names: ['kubette-ingress'],
  entrypoint: ['/kubette-ingress'],
  cmd: [],
  programs: { 'kubette-ingress': controller },
  userland: false,
  user: 65532,
};

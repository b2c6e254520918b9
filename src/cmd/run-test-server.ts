import { isProxyMode, PROXY_MODES } from '../dataplane/proxiers/modes.js';
import { realClock } from '../machinery/clock.js';
import { startControlServer } from '../testing/control-server.js';
import { Cluster } from '../testing/cluster.js';
import type { ClusterOptions, NodeOptions } from '../testing/types.js';
import { onParentGone } from './parent.js';
import { fail, integerFlag, invalidArgument, signalOnTermination, untilAborted } from './process.js';

type Flags = Readonly<Record<string, string | boolean | string[]>>;

const MAX_NODES = 250;
const MAX_RECORDS = 1_000_000;

/** Serves until its parent is gone, or SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runTestServer(flags: Flags): Promise<void> {
  const terminated = signalOnTermination();
  const gone = new AbortController();
  onParentGone(realClock, () => gone.abort(new Error('the parent process is gone')));
  const signal = AbortSignal.any([terminated, gone.signal]);
  try {
    const cluster = await Cluster.create({ ...clusterOptions(flags), signal });
    const control = await startControlServer(cluster);
    const ready = { kubeconfig: cluster.kubeconfigPath, pid: process.pid, url: cluster.url, control: control.url };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilAborted(signal);
    control.close();
    await cluster.stop();
    process.exit(0);
  } catch (error) {
    fail('test-server', error);
  }
}

/** A number, or a JSON list of what they are like. @throws FlagError */
function nodesFlag(text: string): number | NodeOptions[] {
  if (!text.startsWith('[')) return integerFlag('nodes', text, 0, MAX_NODES);
  try {
    return JSON.parse(text) as NodeOptions[];
  } catch (error) {
    throw invalidArgument('nodes', text, (error as Error).message);
  }
}

/** @throws FlagError */
function clusterOptions(flags: Flags): ClusterOptions {
  const text = (name: string): string => {
    const value = flags[name];
    return typeof value === 'string' ? value : '';
  };
  const list = (name: string): string[] => {
    const value = flags[name];
    return Array.isArray(value) ? value : [];
  };
  const record = text('record');
  if (record !== 'Metadata' && record !== 'Request')
    throw invalidArgument('record', record, 'want Metadata or Request');
  const proxyModes = text('proxyMode').split(',');
  for (const mode of proxyModes)
    if (!isProxyMode(mode)) throw invalidArgument('proxy-mode', mode, `there are ${PROXY_MODES.join(', ')}`);
  const clock = text('clock');
  if (clock !== 'real' && clock !== 'virtual') throw invalidArgument('clock', clock, 'want real or virtual');
  const startTime = text('startTime');
  return {
    clock,
    ...(startTime === '' ? {} : { startTime: /^\d+$/.test(startTime) ? Number(startTime) : startTime }),
    controllers: text('controllers').split(','),
    proxyModes: proxyModes.filter(isProxyMode),
    recordLimit: integerFlag('record-limit', text('recordLimit'), 1, MAX_RECORDS),
    nodes: nodesFlag(text('nodes')),
    apiServerOnly: flags['apiServerOnly'] === true,
    ingress: flags['ingress'] === true,
    crds: list('crds'),
    objects: list('objects'),
    record,
    ...(text('behaviour') === '' ? {} : { behaviour: text('behaviour') }),
    serviceClusterIpRange: text('serviceClusterIpRange'),
    ...(text('seed') === '' ? {} : { seed: integerFlag('seed', text('seed'), 0, 2 ** 32 - 1) }),
  };
}

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadKubeConfig, type ClientConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import { ensureDataFolder } from '../cluster/data-folder.js';
import { lockFolder } from '../cluster/folder-lock.js';
import { claimHostRange, firstRanges, rangeOf } from '../cluster/host-range.js';
import { ADMIN, COMPONENTS } from '../cluster/keys/kubeconfig.js';
import { ensurePki } from '../cluster/keys/pki.js';
import { loopbackOf } from '../cluster/publisher.js';
import { controllersLead, dnsAnswers, ingressClassIsThere, untilReady } from '../cluster/readiness.js';
import { realClock } from '../machinery/clock.js';
import { mergeInto, userKubeconfig } from './clusters/kubeconfig.js';
import { logFolder } from './clusters/logs.js';
import { readRecord } from './clusters/record.js';
import { remember } from './clusters/registry.js';
import { saveMemory } from './memory-flags.js';
import { fail, signalOnTermination, untilAborted } from './process.js';
import { createSupervisor, type Supervisor } from './supervisor.js';
import { followNodes, type Nodes } from './up/follow-nodes.js';
import { createLogs } from './up/logs.js';
import { behaviourFileOf } from './up/behaviour-file.js';
import { startNarrator } from './up/narrator/narrator.js';
import { applyObjects } from './up/objects.js';
import type { UpSettings } from './up/settings.js';
import { initialNodes } from './up/nodes.js';
import { planFrom, text, type Plan } from './up/plan.js';
import { balance, startEtcd, startMore } from './up/start-servers.js';
import { apiServers, kubeconfigOf, others } from './up/processes.js';
import { createRecorder } from './up/recorder.js';
import { createScreen, type Screen } from './up/screen.js';

const STOP_GRACE_MS = 4_000;

const withoutPrefix = (line: string, prefix: string): string =>
  line.startsWith(prefix) ? line.slice(prefix.length) : line;

/** Starts everything, says how to connect, waits for a signal, stops everything. */
export async function runUp(settings: UpSettings, newServiceAccountKey: () => Promise<string>): Promise<void> {
  const { flags, objects } = settings;
  const started = realClock.monotonic();
  saveMemory();
  const signal = signalOnTermination();
  const screen = createScreen(process.stdout, flags['quiet'] === true);
  let supervisor: Supervisor | undefined;
  let kept: Plan | undefined;
  try {
    const planned = await planFrom(settings);
    await ensureDataFolder(planned.dataDir);
    const lock = await lockFolder(planned.dataDir);
    await lock.serving(`https://${text(flags, 'bindAddress')}:${planned.port}`);
    kept = planned;
    await Promise.all([remember(planned), mkdir(logFolder(planned.dataDir), { recursive: true, mode: 0o700 })]);
    const pki = await ensurePki(planned.dataDir, { clock: realClock, newServiceAccountKey });
    const before = (await readRecord(planned.dataDir))?.nodes[0]?.bindAddress;
    const range = await claimHostRange(firstRanges(before && rangeOf(before)));
    const told = await behaviourFileOf(planned, settings.rules);
    const numbered = planned.numbered(range.number);
    const plan = told === undefined ? numbered : { ...numbered, flags: { ...numbered.flags, behaviour: told } };
    const logs = createLogs(plan.dataDir);
    const recorder = createRecorder(plan, realClock.now(), () => supervisor?.pids() ?? new Map<string, number>());
    const failed = new Promise<never>((_resolve, reject) => {
      supervisor = createSupervisor({
        clock: realClock,
        say: line => screen.event(line),
        onLine: (name, line) => logs.write(name, line),
        onChange: () => recorder.changed(),
        onFailedStart: (name, line) => {
          const why = withoutPrefix(line, `kubette ${name.split(' ')[0] ?? ''}: `);
          // One that came later, with a node: the others go on.
          if (recorder.isReady()) screen.event(`${name}: ${why}`);
          reject(new Error(why));
        },
      });
    });
    failed.catch(() => undefined);
    const processes = supervisor as unknown as Supervisor;
    const nodes = followNodes({ plan, pki, processes, recorder, screen, range });
    await Promise.race([failed, start({ plan, pki, processes, nodes, screen, signal, objects })]);
    recorder.ready(realClock.now());
    screen.ready(realClock.monotonic() - started, join(plan.dataDir, ADMIN.file));
    nodes.follow(signal);
    if (flags['kubeconfigMerge'] === true) screen.line(await mergeInto(userKubeconfig(), plan.dataDir));
    await untilAborted(signal);
  } catch (error) {
    await supervisor?.stop(STOP_GRACE_MS);
    if (!signal.aborted) fail('up', error);
  }
  screen.line('stopping');
  await supervisor?.stop(STOP_GRACE_MS);
  if (kept !== undefined) screen.stopped(kept);
  process.exit(0);
}

/** What is reachable where. */
const published = (ranges: string): string =>
  `load balancers ${ranges
    .split(',')
    .map(range => `${range} at ${loopbackOf(range, process.platform)}`)
    .join(', ')} of this machine`;

function narrate(config: ClientConfig, screen: Screen, signal: AbortSignal): void {
  const narrator = startNarrator({ config, clock: realClock, say: line => screen.event(line) });
  signal.addEventListener('abort', () => void narrator.close(), { once: true });
  narrator.ended.catch((error: Error) => screen.event(`what happens is no longer told: ${error.message}`));
}

interface Start {
  readonly plan: Plan;
  readonly pki: Awaited<ReturnType<typeof ensurePki>>;
  readonly processes: Supervisor;
  readonly nodes: Nodes;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly objects: UpSettings['objects'];
}

async function start({ plan, pki, processes, nodes, screen, signal, objects }: Start): Promise<void> {
  const begun = realClock.now();
  const etcd = await startEtcd(plan, processes, screen, signal);
  const [first, ...more] = apiServers(plan, etcd);
  await balance(plan, signal);
  if (first !== undefined) processes.start(first);
  const wanted = await initialNodes(plan.dataDir, plan.nodes, plan.described);
  const rest = await others(plan, pki, wanted.length > 0);
  const file = await kubeconfigOf(plan, pki, ADMIN);
  const client = createClient(await loadKubeConfig(file), 'kubette-up');
  try {
    await untilReady(realClock, signal, () => client.request('GET', '/version'));
    if (first !== undefined) processes.markReady(first.name);
    await startMore(plan, more, await loadKubeConfig(file), processes, signal);
    const behind = more.length === 0 ? '' : ` before ${more.length + 1} of them`;
    screen.done('API server', `https://${text(plan.flags, 'bindAddress')}:${plan.port}${behind}`);
    if (plan.flags['verbose'] === true) narrate(await loadKubeConfig(file), screen, signal);
    for (const spec of rest) processes.start(spec);
    await nodes.apply(wanted, client, signal);
    if (wanted.length > 0) {
      await untilReady(realClock, signal, () => dnsAnswers(client, realClock));
      screen.done('DNS', 'answers at ' + plan.network.clusterDns);
    }
    await untilReady(realClock, signal, () => controllersLead(client, begun));
    if (wanted.length > 0 && plan.flags['ingress'] !== false) await ingressClassIsThere(client, realClock, signal);
    screen.done('controllers', text(plan.flags, 'controllers') === '*' ? 'all' : text(plan.flags, 'controllers'));
    for (const spec of rest) processes.markReady(spec.name);
    if (rest.some(({ name }) => name === 'publish')) screen.done('publish', published(plan.network.loadBalancerCidr));
    // Of those who are not started here, too: schedulers and proxies of somebody's own.
    for (const identity of COMPONENTS) await kubeconfigOf(plan, pki, identity);
    if (objects.length > 0)
      screen.done('objects', `${await applyObjects(client, objects, text(plan.flags, 'controllers'))} applied`);
  } finally {
    client.close();
  }
}

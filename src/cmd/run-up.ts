import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadKubeConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import { ensureDataFolder } from '../cluster/data-folder.js';
import { lockFolder } from '../cluster/folder-lock.js';
import { claimHostRange, firstRanges, rangeOf } from '../cluster/host-range.js';
import { ADMIN, COMPONENTS } from '../cluster/keys/kubeconfig.js';
import { ensurePki } from '../cluster/keys/pki.js';
import { controllersLead, dnsAnswers, ingressClassIsThere, untilReady } from '../cluster/readiness.js';
import { realClock } from '../machinery/clock.js';
import { mergeInto, userKubeconfig } from './clusters/kubeconfig.js';
import { logFolder } from './clusters/logs.js';
import { readRecord } from './clusters/record.js';
import { remember } from './clusters/registry.js';
import type { Flags } from './clusters/which.js';
import { saveMemory } from './memory-flags.js';
import { fail, signalOnTermination, untilAborted } from './process.js';
import { createSupervisor, type Supervisor } from './supervisor.js';
import { followNodes, type Nodes } from './up/follow-nodes.js';
import { createLogs } from './up/logs.js';
import { initialNodes } from './up/nodes.js';
import { planFrom, text, type Plan } from './up/plan.js';
import { apiServer, kubeconfigOf, others } from './up/processes.js';
import { createRecorder } from './up/recorder.js';
import { createScreen, type Screen } from './up/screen.js';

const STOP_GRACE_MS = 4_000;

const withoutPrefix = (line: string, prefix: string): string =>
  line.startsWith(prefix) ? line.slice(prefix.length) : line;

/** Starts everything, says how to connect, waits for a signal, stops everything. */
export async function runUp(flags: Flags, newServiceAccountKey: () => Promise<string>): Promise<void> {
  const started = realClock.monotonic();
  saveMemory();
  const signal = signalOnTermination();
  const screen = createScreen(process.stdout, flags['quiet'] === true);
  let supervisor: Supervisor | undefined;
  let kept: Plan | undefined;
  try {
    const plan = await planFrom(flags);
    await ensureDataFolder(plan.dataDir);
    const lock = await lockFolder(plan.dataDir);
    await lock.serving(`https://${text(flags, 'bindAddress')}:${plan.port}`);
    kept = plan;
    await Promise.all([remember(plan), mkdir(logFolder(plan.dataDir), { recursive: true, mode: 0o700 })]);
    const pki = await ensurePki(plan.dataDir, { clock: realClock, newServiceAccountKey });
    const before = (await readRecord(plan.dataDir))?.nodes[0]?.bindAddress;
    const range = await claimHostRange(firstRanges(before && rangeOf(before)));
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
    await Promise.race([failed, start({ plan, pki, processes, nodes, screen, signal })]);
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

interface Start {
  readonly plan: Plan;
  readonly pki: Awaited<ReturnType<typeof ensurePki>>;
  readonly processes: Supervisor;
  readonly nodes: Nodes;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

async function start({ plan, pki, processes, nodes, screen, signal }: Start): Promise<void> {
  const begun = realClock.now();
  const server = apiServer(plan);
  processes.start(server);
  const wanted = await initialNodes(plan.dataDir, plan.nodes);
  const rest = await others(plan, pki, wanted.length > 0);
  const file = await kubeconfigOf(plan, pki, ADMIN);
  const client = createClient(await loadKubeConfig(file), 'kubette-up');
  try {
    await untilReady(realClock, signal, () => client.request('GET', '/version'));
    processes.markReady(server.name);
    screen.done('API server', `https://${text(plan.flags, 'bindAddress')}:${plan.port}`);
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
    // Of those who are not started here, too: schedulers and proxies of somebody's own.
    for (const identity of COMPONENTS) await kubeconfigOf(plan, pki, identity);
  } finally {
    client.close();
  }
}

import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pauseAfter } from '../../support/up.js';
import type { Recording } from '../recordings.js';
import type { Replayed } from '../types.js';
import { differences, isFor, variants } from './compare.js';
import { comparable, normalize } from './normalize.js';
import { finished, KUBECTL_MS, openSession, type Kubectl, type Session } from './session.js';
import type { Head, Printed, Step } from './types.js';

const WAIT_MS = 30_000;
const BACKGROUND_MS = 120_000;

async function until(holds: () => boolean, limitMs = WAIT_MS): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  while (!holds() && !limit.aborted) await sleep(30);
}

async function stopped(step: Step, { background, known }: Session): Promise<Printed> {
  const child = background.get(step.stop ?? '');
  if (child === undefined) return { exit: '', stdout: '', stderr: `${step.stop} does not run` };
  const printed = step.until === undefined ? undefined : new RegExp(step.until, 'm');
  await until(
    () => child.exit !== undefined || printed === undefined || printed.test(normalize(child.output.stdout, known)),
  );
  if (child.exit === undefined) {
    await sleep(step.settle ?? 0);
    child.kill('SIGTERM');
  }
  const { output } = child;
  await child.ended;
  return { exit: 0, stdout: output.stdout, stderr: step.keepStderr === true ? output.stderr : '' };
}

async function requested(http: NonNullable<Step['http']>, { fill }: Session): Promise<Printed> {
  try {
    const { url, method = 'GET', headers = {}, body } = http;
    const response = await fetch(fill(url), { method, headers, ...(body === undefined ? {} : { body: fill(body) }) });
    return { exit: response.status, stdout: await response.text(), stderr: '' };
  } catch (error) {
    return { exit: '', stdout: '', stderr: (error as Error).message };
  }
}

function environment(step: Step, { fill, config }: Session): Record<string, string> {
  const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)]));
  const user: unknown = step.user === undefined ? undefined : JSON.parse(fill(JSON.stringify(step.user)));
  return user === undefined ? env : { ...env, KUBECONFIG: config('config-user', user) };
}

function once(step: Step, session: Session): Promise<Printed> {
  if (step.http !== undefined) return requested(step.http, session);
  if (step.stop !== undefined) return stopped(step, session);
  const { fill } = session;
  const stdin = step.stdin === undefined ? {} : { stdin: fill(step.stdin) };
  const timeoutMs = step.timeout === undefined ? KUBECTL_MS : step.timeout * 1000;
  return finished(session.run((step.run ?? []).map(fill), { env: environment(step, session), timeoutMs, ...stdin }));
}

async function startInBackground(step: Step, name: string, session: Session): Promise<void> {
  const args = (step.run ?? []).map(session.fill);
  const child = session.run(args, { env: environment(step, session), timeoutMs: BACKGROUND_MS });
  session.background.set(name, child);
  const printed = step.until === undefined ? undefined : new RegExp(step.until, 'm');
  if (printed === undefined) await sleep(step.settle ?? 500);
  else await until(() => child.exit !== undefined || printed.test(child.output.stdout));
  capture(step, child.output.stdout, session);
}

function capture(step: Step, stdout: string, { variables, known }: Session): void {
  for (const [name, pattern] of Object.entries(step.capture ?? {})) {
    const value = new RegExp(pattern, 'm').exec(stdout)?.[1] ?? '';
    variables.set(name, value);
    // What is short occurs elsewhere, too.
    if (value.length > 3 && step.background === undefined) known.literals.push([value, `<${name}>`]);
  }
}

/** @returns what differs, after trying for as long as the step allows */
async function replayStep(
  head: Head,
  step: Step,
  session: Session,
  version: string,
  patienceMs: number,
): Promise<string[]> {
  const began = Date.now();
  const limit = AbortSignal.timeout(Math.min((step.retryUntilMatch ?? 0) * 1000, patienceMs));
  for (;;) {
    const raw = await once(step, session);
    const shown = (stream: 'stdout' | 'stderr'): string => comparable(step, stream, raw[stream] ?? '', session.known);
    const printed = { exit: raw.exit, stdout: shown('stdout'), stderr: shown('stderr') };
    const [first = [], ...others] = variants(head, step, version).map(wanted => differences(step, wanted, printed));
    const fine = first.length === 0 || others.some(problems => problems.length === 0);
    if (fine || step.retryUntilMatch === undefined || limit.aborted) {
      capture(step, raw.stdout ?? '', session);
      return fine ? [] : first;
    }
    await sleep(pauseAfter(Date.now() - began));
  }
}

const describe = ({ run, http, stop }: Step): string =>
  run === undefined ? (http === undefined ? `stop ${stop}` : http.url) : `kubectl ${run.join(' ')}`;

/** Runs the session and compares what is printed; leaves nothing behind. A step waits `patienceMs` for controllers at most. */
export async function replaySession(
  recording: Recording<Head, Step>,
  kubectl: Kubectl,
  patienceMs: number,
): Promise<readonly Replayed[]> {
  const { head, steps } = recording;
  const session = openSession(recording, kubectl);
  const namespace = session.variables.get('NS') ?? '';
  const results: Replayed[] = [];
  try {
    const made = await finished(session.run(['create', 'namespace', namespace]));
    if (made.exit !== 0) throw new Error(`namespace ${namespace}: ${made.stderr}`);
    if (head.needsControllers !== false) {
      const there = ['get', 'serviceaccount/default', 'configmap/kube-root-ca.crt', '-o', 'name'];
      const limit = AbortSignal.timeout(WAIT_MS);
      while ((await finished(session.run(there))).exit !== 0 && !limit.aborted) await sleep(100);
    }
    for (const [i, step] of steps.entries()) {
      if (!isFor(step, kubectl.version)) continue;
      if (step.sleep !== undefined) await sleep(step.sleep);
      else if (step.background !== undefined) await startInBackground(step, step.background, session);
      else {
        const problems = await replayStep(head, step, session, kubectl.version, patienceMs);
        const about = [describe(step), ...problems].join('; ').slice(0, 1_000);
        results.push({ recording: head.name, step: String(i + 1), ok: problems.length === 0, about });
      }
    }
  } finally {
    for (const child of session.background.values()) {
      child.kill('SIGKILL');
      await child.ended;
    }
    const remove = (...args: readonly string[]): Promise<Printed> =>
      finished(session.run(['delete', ...args, '--ignore-not-found']));
    // Nobody ends Pods that are bound: there are no nodes.
    if (/nodeName|\/binding/.test(JSON.stringify([head.manifests, steps.map(({ run }) => run)])))
      await finished(session.run(['delete', 'pods', '--all', '--force', '--grace-period=0', '--wait=false']));
    for (const text of head.cleanup ?? [])
      await remove(...session.fill(text).split(' '), text.startsWith('crd ') ? '--timeout=20s' : '--wait=false');
    await remove('namespace', namespace, '--wait=false');
    rmSync(session.root, { recursive: true, force: true });
  }
  return results;
}

/** Several at a time, but for those that want to be alone. */
export async function replaySessions(
  recordings: readonly Recording<Head, Step>[],
  kubectl: Kubectl,
  { patienceMs, jobs }: { readonly patienceMs: number; readonly jobs: number },
): Promise<readonly Replayed[]> {
  const wanted = recordings.filter(({ head }) => isFor(head, kubectl.version));
  const together = wanted.filter(({ head }) => head.alone !== true);
  const results: Replayed[] = [];
  const work = async (queue: Recording<Head, Step>[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      for (const step of await replaySession(next, kubectl, patienceMs)) results.push(step);
  };
  await Promise.all(Array.from({ length: jobs }, () => work(together)));
  await work(wanted.filter(({ head }) => head.alone === true));
  return results;
}

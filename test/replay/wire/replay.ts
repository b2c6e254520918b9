import { setTimeout as sleep } from 'node:timers/promises';
import type { Recording } from '../recordings.js';
import type { Replayed } from '../types.js';
import { comparable, sameMediaType } from './answers.js';
import type { Answer, Call, WireClient } from './client.js';
import { createMatcher, show, substitute, type Matcher, type Variables } from './matcher.js';
import type { Hit, HookScenario, HookServer } from './hooks/hook-server.js';
import { getAt, removeAt, setAt, sortAt, sortManagedFields } from './paths.js';
import { createSetup } from './setup.js';
import type { Head, Step, WaitFor } from './types.js';
import { createWatch, type Watch } from './watches.js';

interface Run {
  readonly client: WireClient;
  readonly token: string;
  readonly variables: Variables;
  readonly watches: Map<string, Watch>;
  readonly matcher: Matcher;
  /** Collections that something was written to. */
  readonly touched: Set<string>;
  readonly hooks: HookScenario | undefined;
}

/** In whose name everything is done, unless a step says otherwise. */
const ADMIN = 'admin';
const CALLER_HEADERS = ['x-remote-user', 'x-remote-group', 'x-remote-uid'];
const WAIT_MS = 60_000;
/** For what did not come when it was recorded. */
const IN_VAIN_MS = 5_000;
/** In bodies of bytes, where no variable can stand: as long as the suffix. */
const SUFFIX_IN_BYTES = 'uuuuuuuu';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

function bodyOf(step: Step, variables: Variables): string | Buffer | undefined {
  const fill = (text: string): string => String(substitute(text, variables));
  if (step.bodyBase64 !== undefined) {
    const bytes = Buffer.from(step.bodyBase64, 'base64').toString('latin1');
    return Buffer.from(bytes.replaceAll(SUFFIX_IN_BYTES, String(variables.get('u'))), 'latin1');
  }
  if (step.bodyRepeat !== undefined) {
    const { before, text, times, after } = step.bodyRepeat;
    return fill(before) + text.repeat(times) + fill(after);
  }
  if (step.body === undefined) return undefined;
  return typeof step.body === 'string' ? fill(step.body) : JSON.stringify(substitute(step.body, variables));
}

const queryOf = ({ query = {} }: Step, variables: Variables): string =>
  Object.entries(query)
    .flatMap(([name, values]) => [values].flat().map(value => [name, String(substitute(value, variables))] as const))
    .map(pair => pair.map(encodeURIComponent).join('='))
    .join('&');

function callOf(step: Step, { token, variables }: Run): Call {
  const body = bodyOf(step, variables);
  const bearer = step.token === undefined ? token : String(substitute(step.token, variables));
  const headers = new Map([
    ['accept', 'application/json'],
    // Field managers are named after it.
    ['user-agent', 'corpus/1.0'],
    ...(bearer === '' ? [] : [['authorization', `Bearer ${bearer}`] as const]),
    ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
  ]);
  for (const [name, value] of Object.entries(step.headers ?? {}))
    if (value === null) headers.delete(name.toLowerCase());
    else headers.set(name.toLowerCase(), String(substitute(value, variables)));
  const query = queryOf(step, variables);
  const path = String(substitute(step.path ?? '', variables));
  const target = query === '' ? path : `${path}?${query}`;
  return { method: step.method ?? 'GET', target, headers: Object.fromEntries(headers), body };
}

function holds(
  wanted: WaitFor,
  { status, content }: Pick<Answer, 'status' | 'content'>,
  variables: Variables,
): boolean {
  if (wanted.status !== undefined) return status === wanted.status;
  const found =
    content.kind === 'json' ? getAt(content.body, String(substitute(wanted.path ?? '', variables))) : undefined;
  if (wanted.absent === true) return found === undefined;
  if (wanted.exists === true) return found !== undefined && found !== null;
  if (wanted.length !== undefined) return Array.isArray(found) && found.length === wanted.length;
  return JSON.stringify(found) === JSON.stringify(substitute(wanted.equals, variables));
}

async function waitFor(
  { waitFor: wanted = {}, expect }: Step,
  call: Call,
  { client, variables }: Run,
): Promise<Answer> {
  const { timeoutMs } = wanted;
  // What did not come when it was recorded shall not come here.
  const content = { kind: 'json', body: expect?.['body'], text: '' } as const;
  const recorded = { status: Number(expect?.['status']), content };
  const inVain = !holds(wanted, recorded, variables);
  const limit = AbortSignal.timeout(inVain ? (timeoutMs ?? IN_VAIN_MS) : Math.max(timeoutMs ?? 0, WAIT_MS));
  let before: string | undefined;
  for (;;) {
    const answer = await client.call(call);
    if (limit.aborted) return answer;
    if (holds(wanted, answer, variables)) {
      // Of several objects that a controller makes, the last may be written once more: they have come when two looks agree.
      if (wanted.length === undefined) return answer;
      const items = answer.content.kind === 'json' ? JSON.stringify(getAt(answer.content.body, 'items')) : '';
      if (items === before) return answer;
      before = items;
    }
    await sleep(100);
  }
}

/** What came, as it is compared; variables of the step are saved. */
async function perform(step: Step, run: Run): Promise<Record<string, unknown> | undefined> {
  run.hooks?.change(step.servers ?? {});
  if (step.sleepMs !== undefined) await sleep(step.sleepMs);
  if (step.keepHits !== true) run.hooks?.forget();
  if (step.collect !== undefined) {
    const { id, end, close } = step.collect;
    const watch = run.watches.get(id);
    if (watch === undefined) throw new Error(`watch ${id} is not open`);
    const expected = step.expect?.['events'];
    const { events, ended } = await watch.collect(step.collect, Array.isArray(expected) ? expected.length : 0);
    if (close === true) watch.close();
    save(step, { body: { events }, header: () => null }, run.variables);
    return end === true ? { events, ended } : { events };
  }
  if (step.background !== undefined) return { background: ofItself(step.background, run) };
  if (step.method === undefined) return undefined;
  const call = callOf(step, run);
  const collection = /^((?:\/api\/v1|\/apis\/[^/]+\/[^/]+)\/namespaces\/[^/]+\/[^/?]+)/.exec(call.target)?.[1];
  if (collection !== undefined && call.method !== 'GET') run.touched.add(collection);
  const answer = step.watch === undefined ? await ask(step, call, run) : await watchOf(step.watch.id, call, run);
  const { content, header } = answer;
  if (content.kind === 'json') save(step, { body: content.body, header }, run.variables);
  const hooks = step.watch === undefined ? asked(step, run) : undefined;
  return { ...comparable(substituteSelect(step, run.variables), answer), ...(hooks === undefined ? {} : { hooks }) };
}

const substituteSelect = (step: Step, variables: Variables): Step =>
  step.select === undefined
    ? step
    : { ...step, select: substitute(step.select, variables) as NonNullable<Step['select']> };

/** What the API server has asked of others during a step; undefined: nothing that is compared. */
function asked(step: Step, { hooks, variables }: Run): unknown[] | undefined {
  if (hooks === undefined || step.hooks === false) return undefined;
  let hits = structuredClone(hooks.hits) as Hit[];
  for (const hit of hits) {
    const userInfo = getAt(hit.body, 'request.userInfo');
    // Who the administrator is differs from server to server.
    if (getAt(userInfo, 'username') === ADMIN) setAt(hit.body as object, 'request.userInfo', '<caller>');
    if (hit.headers['x-remote-user'] !== ADMIN) continue;
    for (const name of CALLER_HEADERS) if (name in hit.headers) setAt(hit.headers, name, '<caller>');
  }
  if (step.hooksPick !== undefined) {
    const wanted = Object.entries(substitute(step.hooksPick, variables) as object);
    hits = hits.filter(hit => wanted.every(([path, value]) => getAt(hit, path) === value)).slice(0, 1);
  }
  if (step.hooksUnordered === true) hits.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const path of step.hooksIgnore ?? []) for (const hit of hits) removeAt(hit, path);
  return hits.length === 0 ? undefined : hits;
}

/** The set of requests that the API server has made to aggregated APIs of its own accord, and in whose name. */
function ofItself(pattern: string, { hooks, variables }: Run): unknown[] {
  const wanted = new RegExp(String(substitute(pattern, variables)));
  const lines = (hooks?.background ?? [])
    .filter(({ path }) => wanted.test(path))
    .map(({ method, path, headers }) => {
      const names = Object.keys(headers).filter(
        name => name.startsWith('x-remote-') || name === '(client certificate)',
      );
      const told = Object.fromEntries(names.sort().map(name => [name, headers[name]]));
      return JSON.stringify({ request: `${method} ${path}`, headers: told });
    });
  return [...new Set(lines)].sort().map(line => JSON.parse(line) as unknown);
}

const ask = (step: Step, call: Call, run: Run): Promise<Answer> =>
  step.waitFor === undefined ? run.client.call(call) : waitFor(step, call, run);

/** Opens it; one that is refused is an answer as any other. */
async function watchOf(id: string, call: Call, { client, watches }: Run): Promise<Answer> {
  const stream = await client.open(call);
  const { response } = stream;
  if (response.statusCode !== 200) return client.read(stream);
  const { rawHeaders } = response;
  watches.set(id, createWatch(stream));
  return {
    status: 200,
    contentType: response.headers['content-type'] ?? '',
    warnings: rawHeaders.filter((_, i) => rawHeaders[i - 1]?.toLowerCase() === 'warning'),
    header: name => (response.headers[name.toLowerCase()] as string | undefined) ?? null,
    content: { kind: 'text', text: '' },
  };
}

function save(step: Step, from: { body: unknown; header: Answer['header'] }, variables: Variables): void {
  for (const [name, path] of Object.entries(step.save ?? {})) {
    const value = path.startsWith('header:') ? from.header(path.slice(7)) : getAt(from.body, path);
    if (value !== undefined && value !== null) variables.set(name, value);
  }
}

function differences(step: Step, seen: Record<string, unknown>, matcher: Matcher): string[] {
  const expected = structuredClone(step.expect ?? {}) as Record<string, unknown>;
  for (const side of [expected, seen]) {
    sortManagedFields(side);
    const sorted = side['body'] ?? side;
    if (side === expected || 'events' in side) for (const path of step.unordered ?? []) sortAt(sorted, path);
    if (side === seen && 'events' in side) for (const path of step.ignore ?? []) removeAt(side, path);
  }
  return [...new Set([...Object.keys(expected), ...Object.keys(seen)])].flatMap(key => {
    if (!(key in expected)) return [`${key}: unexpected ${show(seen[key])}`];
    if (!(key in seen)) return [`${key}: missing, expected ${show(expected[key])}`];
    if (key !== 'contentType') return matcher.match(expected[key], seen[key], key);
    const [wanted, got] = [String(expected[key]), String(seen[key])];
    return sameMediaType(wanted, got) ? [] : [`Content-Type: expected ${wanted}, got ${got}`];
  });
}

/** Sends what was sent and compares what comes; leaves nothing behind. */
export async function replayScenario(
  { head, steps }: Recording<Head, Step>,
  client: WireClient,
  token: string,
  hookServer?: HookServer,
): Promise<readonly Replayed[]> {
  const suffix = `c${Array.from({ length: 7 }, () => LETTERS[Math.floor(Math.random() * LETTERS.length)]).join('')}`;
  const variables: Variables = new Map<string, unknown>([['u', suffix]]);
  for (const name of head.namespaces ?? []) variables.set(name, `${name}-${suffix}`);
  for (const [name, value] of hookServer?.variables ?? []) variables.set(name, value);
  if (hookServer !== undefined)
    variables.set('hookUrl', `https://127.0.0.1:${String(variables.get('hookPort'))}/${suffix}`);
  const hooks = hookServer?.begin(variables, head.servers ?? {});
  const matcher = createMatcher(variables);
  const run: Run = { client, token, variables, matcher, watches: new Map(), touched: new Set(), hooks };
  const setup = createSetup(client, token);
  const namespaces = (head.namespaces ?? []).map(name => String(variables.get(name)));
  const results: Replayed[] = [];
  try {
    for (const name of namespaces) await setup.makeNamespace(name);
    for (const step of steps) {
      let problems: string[] = [];
      try {
        const seen = await perform(step, run);
        if (seen === undefined) continue;
        if (step.tolerate !== true) problems = differences(step, seen, matcher);
      } catch (error) {
        problems = [`error: ${(error as Error).message}`];
      }
      if (step.tolerate === true) continue;
      const about = problems.slice(0, 3).join('; ').slice(0, 500);
      results.push({ recording: head.name, step: step.name, ok: problems.length === 0, about });
    }
  } finally {
    for (const watch of run.watches.values()) watch.close();
    const made = (head.cleanup ?? []).filter(
      path => ![...path.matchAll(/\$\{(\w+)\}/g)].some(m => !variables.has(m[1] ?? '')),
    );
    await setup.remove(made.map(path => String(substitute(path, variables))).reverse());
    for (const collection of run.touched) await setup.empty(collection);
    for (const name of namespaces) await setup.removeNamespace(name, head.needsControllers === true);
    hooks?.end();
  }
  return results;
}

import { fork, type ChildProcess } from 'node:child_process';
import { seededRandom } from '../../../src/machinery/random.js';
import type { Finding } from '../growth.js';
import { fuzzClient, type FuzzClient } from './client.js';
import { fault } from './judge.js';
import { mutatedRequests, type Request } from './requests.js';
import type { Held, Told } from './served.js';

export interface CampaignOptions {
  readonly seed: number;
  readonly requests: number;
  /** A request that holds the event loop longer is a finding, if it does so again by itself. */
  readonly holdMs: number;
  /** What the memory may have grown by at the end, against a quarter of the way. */
  readonly growthBytes: number;
  onFinding?(finding: Finding): void;
}

export interface CampaignReport {
  readonly findings: readonly Finding[];
  readonly requests: number;
  /** How many answers there were of each status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Heap and buffers in bytes: at a quarter of the way, and at the end. */
  readonly memory: readonly [number, number];
}

const TOKEN = 'fuzz-token';
const AT_A_TIME = 8;
/** Holds are told by a clock that looks now and then. */
const SLACK_MS = 10;
const SUSPECTS = 400;

interface Sent {
  readonly request: Request;
  readonly from: number;
  readonly to: number;
}

const epoch = (): number => performance.timeOrigin + performance.now();
const nameOf = ({ method, path, headers, body }: Request): string =>
  `${method} ${path} ${headers['content-type'] ?? ''} ${(body ?? Buffer.alloc(0)).subarray(0, 2_000).toString()}`.trim();

/** A server, requests that mostly are wrong, and what came of it. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const findings: Finding[] = [];
  const found = (kind: Finding['kind'], row: string, text: string): void => {
    const finding = { kind, row, shape: `seed ${options.seed}`, text };
    findings.push(finding);
    options.onFinding?.(finding);
  };
  const server = await serve(options.holdMs);
  const client = fuzzClient(server.port, server.ca, TOKEN);
  const statuses = new Map<number, number>();
  const suspects: Sent[] = [];
  const requests = mutatedRequests(seededRandom(options.seed));
  const ask = async (request: Request): Promise<Sent> => {
    const from = epoch();
    try {
      const { status, text } = await client.send(request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const wrong = fault(status, text);
      if (wrong !== undefined) found('fault', nameOf(request), wrong);
    } catch (error) {
      found('fault', nameOf(request), `no answer: ${error instanceof Error ? error.message : String(error)}`);
    }
    return { request, from, to: epoch() };
  };
  let sent = 0;
  const work = async (until: number): Promise<void> => {
    const worker = async (): Promise<void> => {
      while (sent < until && !server.ended()) {
        sent++;
        const one = await ask(requests.next().value);
        if (one.to - one.from > options.holdMs) suspects.push(one);
        if (suspects.length > SUSPECTS) suspects.shift();
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  };
  try {
    await work(options.requests / 4);
    const early = await server.memory();
    await work(options.requests);
    const late = await server.memory();
    if (late - early > options.growthBytes) found('grows', 'memory', `${early} bytes, then ${late}`);
    const held = server.held();
    for (const one of suspects)
      if (held.some(([from, to]) => from < one.to + SLACK_MS && to > one.from - SLACK_MS)) {
        const ms = await holdsAlone(client, server, one.request);
        if (ms > options.holdMs) found('blocks', nameOf(one.request), `held the event loop for ${Math.round(ms)} ms`);
      }
    return { findings, requests: sent, statuses, memory: [early, late] };
  } finally {
    client.close();
    const complaint = await server.close();
    if (complaint !== '') found('fault', 'the server', complaint);
  }
}

const TRIES = 3;

/** The least that a request holds the loop for when it is sent by itself. */
async function holdsAlone(client: FuzzClient, server: Served, request: Request): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const from = epoch();
    await client.send(request);
    // Whatever was told of the request has come before this answer.
    await server.memory();
    const to = epoch();
    const during = server.held().filter(([begin, end]) => end > from && begin < to);
    least = Math.min(least, Math.max(0, ...during.map(([, , workedMs]) => workedMs)));
  }
  return least;
}

interface Served {
  readonly port: number;
  readonly ca: string;
  held(): readonly Held[];
  memory(): Promise<number>;
  ended(): boolean;
  /** What it complained of: how it ended, if by itself, and what it said of it. */
  close(): Promise<string>;
}

async function serve(holdMs: number): Promise<Served> {
  const child = fork(new URL('./served.js', import.meta.url), [TOKEN, String(holdMs)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const held: Held[] = [];
  child.on('message', (told: Told) => {
    if ('held' in told) held.push(told.held);
  });
  const next = <T>(wanted: (told: Told) => T | undefined): Promise<T> => nextTold(child, wanted, () => said);
  const { port, ca } = await next(told => ('ready' in told ? told.ready : undefined));
  let ended = false;
  const exited = new Promise<void>(resolve => child.once('exit', () => ((ended = true), resolve())));
  return {
    port,
    ca,
    held: () => held,
    ended: () => ended,
    memory() {
      const answer = next(told => ('memoryBytes' in told ? told.memoryBytes : undefined));
      child.send('memory');
      return answer;
    },
    async close() {
      const early = ended;
      if (!early) child.disconnect();
      await exited;
      return early || said.includes('UnhandledPromiseRejection') ? `ended by itself: ${said}` : '';
    },
  };
}

function nextTold<T>(child: ChildProcess, wanted: (told: Told) => T | undefined, said: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (told: Told): void => {
      const value = wanted(told);
      if (value === undefined) return;
      off();
      resolve(value);
    };
    const onExit = (): void => {
      off();
      reject(new Error(`the server has ended: ${said()}`));
    };
    const off = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}

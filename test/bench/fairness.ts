import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../src/machinery/clock.js';
import { freePort, KUBETTE } from '../support/up.js';
import { ms, quantile, type Row } from './table.js';

/** Ten seats for reads and writes together, and ten clients for each. */
const SEATS = { reading: 6, writing: 4 };
const CLIENTS = 10 * (SEATS.reading + SEATS.writing);
/** A collection more or less among 1,000 would be most of the last hundredth. */
const ASKED = 3_000;
const OBJECTS = 100;
const MAPS = '/api/v1/namespaces/default/configmaps';

/**
 * All threads of a process come before whatever else wants the machine, where that may be asked for (Linux, as root): else it is
 * measured how long a busy machine lets server and client wait for a core, which is milliseconds for each of them. A higher
 * `priority` comes first; 0 is as any other process. Whether it is so now.
 */
const inRealTime = (pid: number, priority: number): boolean =>
  spawnSync('chrt', ['-a', priority > 0 ? '-f' : '-o', '-p', String(priority), String(pid)]).status === 0;

/** One client of a user, alone and beside ten times more clients of another user than the server works for at a time. */
export async function fairness(): Promise<Row[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-bench-'));
  const tokens = join(dataDir, 'tokens');
  writeFileSync(tokens, 'admin,admin,1,"system:masters"\nmodest,modest,2\ngreedy,greedy,3\n');
  const port = await freePort();
  const limits = [
    ...['--max-requests-inflight', String(SEATS.reading)],
    ...['--max-mutating-requests-inflight', String(SEATS.writing)],
  ];
  const flags = [
    '--data-dir',
    dataDir,
    '--secure-port',
    String(port),
    '--storage',
    'memory',
    '--token-auth-file',
    tokens,
  ];
  const server = spawn(
    process.execPath,
    [KUBETTE, 'apiserver', ...flags, ...limits, '--authorization-mode', 'AlwaysAllow'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(server.stdout, 'data');
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  const call = (method: string, path: string, token: string, body?: object): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent }, response => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      });
      sent.once('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  for (let i = 0; i < OBJECTS; i++)
    await call('POST', MAPS, 'admin', { metadata: { name: `c${i}` }, data: { a: 'x'.repeat(400) } });
  const undisturbed = inRealTime(server.pid ?? 0, 1) && inRealTime(process.pid, 2);
  const measure = async (): Promise<{ times: number[]; refused: number }> => {
    const times: number[] = [];
    let refused = 0;
    for (let i = 0; i < ASKED; i++) {
      const begun = performance.now();
      if ((await call('GET', `${MAPS}/c1`, 'modest')) !== 200) refused++;
      times.push(performance.now() - begun);
      await realClock.sleep(2);
    }
    return { times, refused };
  };
  await measure();
  const quiet = await measure();
  const greedy = fork(join(import.meta.dirname, 'greedy.js'), [String(port), 'greedy', String(CLIENTS), MAPS]);
  if (undisturbed) inRealTime(greedy.pid ?? 0, 0);
  let answered = 0;
  greedy.on('message', count => (answered = Number(count)));
  // Until all of them have shaken hands.
  while (answered < 10 * CLIENTS) await realClock.sleep(50);
  const before = { answered, at: performance.now() };
  const loaded = await measure();
  const perSecond = ((answered - before.answered) / (performance.now() - before.at)) * 1000;
  greedy.kill('SIGKILL');
  server.kill('SIGTERM');
  await once(server, 'exit');
  agent.destroy();
  if (undisturbed) inRealTime(process.pid, 0);
  const [quietP99, loadedP99] = [quantile(quiet.times, 0.99), quantile(loaded.times, 0.99)];
  return [
    {
      what: `one client alone${undisturbed ? '' : ', on a machine with others'}: median / p99`,
      value: `${ms(quantile(quiet.times, 0.5))} / ${ms(quietP99)}`,
    },
    {
      what: `beside ${CLIENTS} clients of another user, where ${SEATS.reading + SEATS.writing} have seats: median / p99`,
      value: `${ms(quantile(loaded.times, 0.5))} / ${ms(loadedP99)}`,
      goal: 'goal: p99 under twice its quiet value',
    },
    {
      what: 'what the others got meanwhile; refusals of the one',
      value: `${perSecond.toFixed(0)}/s; ${loaded.refused}`,
    },
  ];
}

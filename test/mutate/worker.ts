import { join } from 'node:path';
import { collected, runBody } from './fake-tap.js';
import type { Answer, Request } from './messages.js';
import { startWatchdog } from './watchdog.js';

/*
 * A process that has loaded all tests and asks them about one mutant after the other: a request names the mutant and the
 * tests, the answer the first that fails. A mutant can be there from the beginning, for what is made while files load.
 */
const [folder = '', atLoading = '-1', ...files] = process.argv.slice(2);

/** In ms of work: a test may take many times of what it takes without a mutant. */
const LIMIT = 3000;
const LIMIT_FACTOR = 10;

let active = Number(atLoading);
let seen = new Uint8Array(1);

Object.assign(globalThis, {
  __mutant(id: number): boolean {
    if (id >= seen.length) {
      const wider = new Uint8Array(Math.max(2 * seen.length, id + 1));
      wider.set(seen);
      seen = wider;
    }
    seen[id] = 1;
    return id === active;
  },
});

const send = (answer: Answer): void => void process.send?.(answer);

/** Whom somebody has come by at since the last time. */
function takeSeen(): number[] {
  const ids = [...seen.keys()].filter(id => seen[id] === 1);
  seen.fill(0);
  return ids;
}

// What a mutant does to another turn is its end as well, and this process's: nobody knows what it leaves behind.
process.on('uncaughtException', () => process.exit(3));
process.on('unhandledRejection', () => process.exit(3));

const watchdog = startWatchdog();

/** A test's name is told by its file, and by how many of this name the file has before. */
const names: string[] = [];
for (const file of files) {
  const before = collected.length;
  await import(join(folder, 'build/test', `${file}.test.js`));
  for (const { name } of collected.slice(before)) {
    const plain = `${file}: ${name}`;
    const same = names.filter(known => known === plain || known.startsWith(`${plain} #`)).length;
    names.push(same === 0 ? plain : `${plain} #${same + 1}`);
  }
}
const bodies = new Map(names.map((name, i) => [name, collected[i]?.body]));

async function fails(name: string): Promise<boolean> {
  const body = bodies.get(name);
  if (body === undefined) throw new Error(`there is no test ${name}`);
  return runBody(body).then(
    () => false,
    () => true,
  );
}

async function answer(request: Request): Promise<void> {
  if (request.kind === 'cover') {
    takeSeen();
    watchdog.begin(40 * LIMIT);
    const began = process.cpuUsage();
    const failed = await fails(request.test);
    const { user, system } = process.cpuUsage(began);
    watchdog.end();
    return send({ kind: 'covered', failed, ms: (user + system) / 1000, ids: takeSeen() });
  }
  active = request.mutant;
  let killer: string | undefined;
  for (const { test, ms } of request.tests) {
    send({ kind: 'begins', test });
    watchdog.begin(LIMIT + LIMIT_FACTOR * ms);
    if (!(await fails(test))) continue;
    killer = test;
    break;
  }
  watchdog.end();
  active = -1;
  send(killer === undefined ? { kind: 'judged' } : { kind: 'judged', killer });
}

process.on('message', (request: Request) => void answer(request));
process.on('disconnect', () => process.exit(0));
send({ kind: 'loaded', tests: names, ids: takeSeen() });

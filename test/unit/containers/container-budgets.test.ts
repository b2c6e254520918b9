import t from 'tap';
import { captured } from '../../../src/containers/io.js';
import { Killed } from '../../../src/containers/signals.js';
import { writerOf } from '../../../src/containers/spawn.js';
import { busybox, containerContext, execute, type Fixture } from '../../support/simulated-container.js';

const MIB = 1024 * 1024;

interface Row extends Fixture {
  readonly name: string;
  readonly script: string;
  readonly stdout?: string;
  readonly exit?: number;
}

/** Streams that never end, through whatever ends them. */
const endless: readonly Row[] = [
  { name: 'head by lines', script: 'yes | head -n 3', stdout: 'y\ny\ny\n' },
  { name: 'head by bytes', script: 'yes | head -c 100 | wc -c', stdout: '100\n' },
  {
    name: 'head of a device',
    script: 'head -c 16 /dev/urandom | wc -c; head -c 1000 /dev/zero | wc -c',
    stdout: '16\n1000\n',
  },
  { name: 'grep -m', script: 'yes | grep -m 2 y', stdout: 'y\ny\n' },
  { name: 'grep -q', script: 'yes | grep -q y && echo found', stdout: 'found\n' },
  { name: 'tail of what ends', script: 'seq 100000 | tail -n 1', stdout: '100000\n' },
  { name: 'tail -n +N', script: 'seq 1000000000 | tail -n +5 | head -n 1', stdout: '5\n' },
  { name: 'tee', script: 'yes | tee /tmp/copy | head -n 1; test -s /tmp/copy && echo kept', stdout: 'y\nkept\n' },
  { name: 'sed q', script: 'yes | sed 2q', stdout: 'y\ny\n' },
  { name: 'tr, cut, rev', script: 'yes a:b | tr a-z A-Z | cut -d: -f2 | head -n 2', stdout: 'B\nB\n' },
  { name: 'uniq', script: 'seq 1000000000 | uniq | head -n 2', stdout: '1\n2\n' },
  { name: 'base64', script: 'base64 < /dev/zero | head -c 4', stdout: 'AAAA' },
  { name: 'dd', script: 'dd if=/dev/zero bs=1k count=3 2>/dev/null | wc -c', stdout: '3072\n' },
  { name: 'a loop that writes', script: 'while true; do echo x; done | head -n 2', stdout: 'x\nx\n' },
  { name: 'read from an endless stream', script: 'yes | { read a; read b; echo $a$b; }', stdout: 'yy\n' },
  { name: 'cat of a device', script: 'cat /dev/urandom | head -c 10 | od | wc -l', stdout: '2\n' },
  { name: 'awk exit', script: "yes | awk 'NR == 3 { print NR; exit }'", stdout: '3\n' },
  { name: 'xargs', script: 'yes | xargs -n 1 echo | head -n 2', stdout: 'y\ny\n' },
];

t.test('streams that never end', async t => {
  for (const { name, script, stdout = '', exit = 0, ...fixture } of endless)
    t.match(await execute(['sh', '-c', script], fixture), { stdout, exit }, name);
});

/** What grows without end: its container is killed when its limit is passed, as the kernel does it. */
const hungry: readonly Row[] = [
  { name: 'fork bomb', script: 'b() { b | b & }; b; wait; sleep 60' },
  { name: 'fork bomb in its own words', script: ':(){ :|:& };:\nsleep 60' },
  { name: 'string doubling', script: 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done' },
  { name: 'capturing an endless stream', script: 'x=$(yes)' },
  { name: 'capturing a device', script: 'x=$(cat /dev/zero)' },
  { name: 'capturing numbers', script: 'for i in $(seq 1000000000); do :; done' },
  { name: 'sorting an endless stream', script: `yes ${'long '.repeat(20)} | sort` },
  { name: 'a line without end', script: 'cat /dev/zero | grep x' },
  { name: 'a line without end, read', script: 'read x < /dev/zero' },
  { name: 'tail of an endless line', script: 'tail -n 1 /dev/zero' },
  { name: 'sed that gathers', script: `yes ${'long '.repeat(100)} | sed -n 'H;\${x;p}'` },
  {
    name: 'variables without end',
    script: `long=${'a'.repeat(4000)}; i=0; while :; do i=$((i+1)); eval "v$i=$long"; done`,
  },
  { name: 'tac', script: `yes ${'long '.repeat(20)} | tac` },
  { name: 'awk that gathers', script: `yes ${'long '.repeat(50)} | awk '{ a[NR] = $0 }'` },
  { name: 'an awk string that doubles', script: `awk 'BEGIN { x = "aaaa"; while (1) x = x x }'` },
  { name: 'positional parameters', script: 'set -- a b c d; while :; do set -- "$@" "$@"; done' },
  { name: 'background jobs', script: 'while :; do sleep 1000 & done' },
];

t.test('what passes the memory limit is killed with its container', async t => {
  for (const { name, script } of hungry) {
    const context = containerContext({ memoryLimit: 24 * MIB });
    const main = await busybox(context, { command: ['sh', '-c', script] });
    t.equal(await main.exited, 137, name);
    t.ok(main.outOfMemory(), `${name}: out of memory`);
    t.same(context.processes.list(), [], `${name}: nothing is left`);
  }
});

/** What never ends without growing: the others have their turns. */
const busy: readonly string[] = [
  'while true; do :; done',
  'yes > /dev/null',
  'cat /dev/zero > /dev/null',
  'seq 1000000000 > /dev/null',
  'i=0; while [ $i -ge 0 ]; do i=$((i+1)); done',
  'yes | while read x; do echo $x; done > /dev/null',
  'until false; do true; done',
  'dd if=/dev/zero of=/dev/null bs=1M',
  'echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa > /tmp/a; while :; do grep -E "(a|aa)+(a|aa)+b" /tmp/a; done',
  'f() { f; }; while :; do (f) 2>/dev/null; done',
  "awk 'BEGIN { while (1) i++ }'",
  'trap "" TERM; while :; do eval ":"; done',
];

t.test('what is busy without end leaves the event loop its turns, and ends when it is killed', async t => {
  for (const script of busy) {
    const context = containerContext();
    const start = (command: readonly string[]) => busybox({ ...context, processes: context.processes }, { command });
    const main = await start(['sh', '-c', script]);
    for (let i = 0; i < 3; i++) {
      const output = captured();
      const code = await main.exec(['echo', 'here'], {
        stdout: output,
        tty: false,
        signal: new AbortController().signal,
      });
      t.equal(`${code} ${output.text()}`, '0 here\n', script);
    }
    main.kill('KILL');
    t.equal(await main.exited, 137, script);
  }
});

t.test('what is too deep is refused or ends as a stack does that overflows', async t => {
  const deep = (open: string, middle: string, close: string): string =>
    open.repeat(20_000) + middle + close.repeat(20_000);
  const rows: readonly (readonly [string, string, number])[] = [
    ['functions', 'f() { f; }; f', 139],
    ['subshells', deep('(', ':', ')'), 2],
    ['groups', deep('{ ', ':', '; }'), 2],
    ['substitutions', `echo ${'$('.repeat(20_000)}${')'.repeat(20_000)}`, 2],
    ['arithmetic', `echo $((${'('.repeat(30_000)}1${')'.repeat(30_000)}))`, 2],
    ['signs', `echo $((${'- '.repeat(30_000)}1))`, 2],
    ['eval', 'x=\'eval "$x"\'; eval "$x"', 139],
  ];
  for (const [name, script, exit] of rows) t.equal((await execute(['sh', '-c', script])).exit, exit, name);
});

t.test('a stack that overflows in a subshell or a substitution leaves the shell that waits for it', async t => {
  const script = 'f() { f; }; (f); echo "subshell $?"; x=$(f); echo "substitution $?"; f | :; echo "pipe $?"';
  t.match(await execute(['sh', '-c', script]), { exit: 0, stdout: 'subshell 139\nsubstitution 139\npipe 0\n' });
});

t.test('a number of processes is all there is', async t => {
  const context = containerContext();
  const result = await execute(['sh', '-c', 'i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i+1)); done']);
  t.match(result, { exit: 137 }, 'without a limit the agent has its own');
  t.equal(context.budget.processes.max, 1024);
});

t.test('who is killed by what it writes, when its turn is over, ends once', async t => {
  const unheard: unknown[] = [];
  const hear = (error: unknown): void => void unheard.push(error);
  process.on('unhandledRejection', hear);
  t.teardown(() => process.off('unhandledRejection', hear));
  const full = {
    write: (): void => {
      throw new Killed('KILL');
    },
  };
  const writer = writerOf(full, () => Promise.reject(new Killed('KILL')));
  t.throws(() => void writer.write('x'), Killed);
  await new Promise(resolve => setImmediate(resolve));
  t.same(unheard, []);
});

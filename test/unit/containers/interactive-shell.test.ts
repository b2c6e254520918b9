import t from 'tap';
import { captured, createPipe } from '../../../src/containers/io.js';
import { realClock } from '../../../src/machinery/clock.js';
import { busybox, containerContext } from '../../support/simulated-container.js';

/** A shell on a terminal: what is typed, and what is on the screen. */
async function shell() {
  const context = containerContext();
  const main = await busybox(context);
  const keys = createPipe();
  const screen = captured();
  const exited = main.exec(['sh'], { stdin: keys, stdout: screen, tty: true, signal: new AbortController().signal });
  return {
    async type(text: string) {
      await keys.write(text);
    },
    /** Waits until the screen, since the last call, shows it. */
    async shows(wanted: RegExp) {
      for (;;) {
        const text = screen.text();
        if (wanted.test(text)) return text;
        await realClock.sleep(5);
      }
    },
    exited,
    async end() {
      main.kill('KILL');
      await main.exited;
    },
  };
}

t.test('Ctrl-C ends what runs and gives a prompt, whatever it is', async t => {
  const busy = [
    'sleep 1000',
    'while true; do :; done',
    'yes > /dev/null',
    'yes | cat > /dev/null',
    'sleep 1000 | cat',
    'cat',
    'wait; sleep 1000',
    'f() { while :; do sleep 1; done; }; f',
  ];
  for (const [i, command] of busy.entries()) {
    const { type, shows, exited, end } = await shell();
    await shows(/# $/);
    await type(`echo before${i}; ${command}\r`);
    await shows(new RegExp(`\\r\\nbefore${i}\\r\\n`));
    await type('\x03');
    await shows(/\^C\r\n(?:.*\r\n)*\/ # $/);
    await type('echo $?-after\r');
    t.match(await shows(/\d+-after\r\n/), /\n130-after\r\n/, command);
    await type('exit 3\r');
    t.equal(await exited, 3, `${command}: the shell lives on`);
    await end();
  }
});

t.test('a line can be edited, recalled and completed', async t => {
  const rows: readonly (readonly [name: string, keys: string, shown: RegExp])[] = [
    ['backspace', 'echo abx\x7fc\r', /\nabc\r\n/],
    ['left and insert', 'echo ac\x1b[Db\r', /\nabc\r\n/],
    ['home, end', 'cho x\x01e\x05y\r', /\nxy\r\n/],
    ['home and end keys', 'cho x\x1b[He\x1b[Fz\r', /\nxz\r\n/],
    ['delete', 'echo xabc\x01\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[3~\r', /\nabc\r\n/],
    ['Ctrl-U', 'nonsense\x15echo fine\r', /\nfine\r\n/],
    ['Ctrl-K', 'echo ab\x1b[D\x0b\r', /\na\r\n/],
    ['Ctrl-W', 'echo one two\x17three\r', /\none three\r\n/],
    ['history', 'echo first\recho second\r\x1b[A\x1b[A\r', /\nfirst\r\n[^]*\nsecond\r\n[^]*\nfirst\r\n/],
    ['history, down', 'echo q1\recho q2\r\x1b[A\x1b[A\x1b[B\r', /\nq2\r\n[^]*\nq2\r\n/],
    ['completion of a file', 'cat /etc/hostn\t\r', /\np\r\n/],
    ['completion of an applet', 'hostnam\t\r', /\np\r\n/],
    ['Ctrl-Z does no harm', 'sleep 0.01\r\x1aecho on\r', /\non\r\n/],
    ['Ctrl-C in a line', 'echo lost\x03echo kept\r', /\nkept\r\n/],
    ['several lines', 'for i in 1 2\rdo echo n$i\rdone\r', /\nn1\r\nn2\r\n/],
  ];
  for (const [name, keys, shown] of rows) {
    const { type, shows, exited, end } = await shell();
    await shows(/# $/);
    await type(keys);
    t.match(await shows(shown), shown, name);
    await type('\x03');
    await type('exit\r');
    await exited;
    await end();
  }
});

t.test('Ctrl-D ends the shell at an empty line only', async t => {
  const { type, shows, exited, end } = await shell();
  await shows(/# $/);
  await type('echo a\x04b\r');
  await shows(/\nab\r\n/);
  await type('\x04');
  t.equal(await exited, 0);
  await end();
});

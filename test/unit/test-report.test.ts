import t from 'tap';
import { createSummary } from '../report/summary.js';

const summarize = (tap: string, terse = false): { lines: string[]; fine: boolean } => {
  const lines: string[] = [];
  const summary = createSummary(line => lines.push(line), { terse });
  for (const line of tap.split('\n')) summary.line(line);
  return { fine: summary.end(), lines };
};

t.test('what passes is a line for each file, with what was said and skipped in it', async t => {
  const { lines, fine } = summarize(`TAP version 14
# Subtest: test/a.test.js
    # Subtest: one
        ok 1 - should be equal
        ok 2 - other # SKIP no such machine
        # 2 of 3 steps passed
        1..2
    ok 1 - one # time=10ms
    ok 2 - two # SKIP no such machine
    1..2
    # time=12.5ms
ok 1 - test/a.test.js # time=1250ms
# { total: 3, pass: 1, fail: 0, skip: 2 }
# time=4119.829ms`);
  t.ok(fine);
  t.same(lines, [
    'ok      1.3 s  test/a.test.js (1)',
    '    # 2 of 3 steps passed',
    '    SKIPPED 2: no such machine',
    '# { total: 3, pass: 1, fail: 0, skip: 2 }',
    'Asserts: 1 pass, 0 fail, 2 skip of 3',
    '# time=4119.829ms',
  ]);
});

t.test('what fails is there with its file, its difference and its source', async t => {
  const { lines, fine } = summarize(`# Subtest: test/a.test.js
    # Subtest: one
        not ok 1 - differs
          ---
          diff: |
            -    3,
            +    2,

          source: |
            t.same(a, b)
          ...

        ok 2 - should be equal
    not ok 1 - one # time=10ms
      ---
      at:
        lineNumber: 2
      ...
not ok 1 - test/a.test.js # time=100ms
  ---
  command: /usr/bin/node
  ...
ok 2 - test/b.test.js # time=100ms
# time=250ms`);
  t.notOk(fine);
  t.same(lines, [
    'FAIL    0.1 s  test/a.test.js (1)',
    '    one > differs',
    '      diff: |',
    '        -    3,',
    '        +    2,',
    '      source: |',
    '        t.same(a, b)',
    'ok      0.1 s  test/b.test.js (1)',
    'Asserts: 2 pass, 1 fail, 0 skip of 3',
    '# time=250ms',
  ]);
});

t.test('a file that was killed fails with what the runner knows; no tests at all are a failure', async t => {
  const { lines, fine } = summarize(`# Subtest: test/a.test.js
    ok 1 - should be equal
not ok 1 - test/a.test.js # time=300000ms
  ---
  signal: SIGKILL
  ...
Bail out! nothing left`);
  t.notOk(fine);
  t.same(lines, [
    'FAIL  300.0 s  test/a.test.js (1)',
    '    test/a.test.js',
    '      signal: SIGKILL',
    'Bail out! nothing left',
    'Asserts: 1 pass, 1 fail, 0 skip of 2',
  ]);
  t.notOk(summarize('').fine);
});

t.test('a terse report has what fails and what is skipped', async t => {
  const { lines } = summarize(
    `# Subtest: test/a.test.js
    ok 1 - fine
ok 1 - test/a.test.js # time=1ms
# Subtest: test/b.test.js
    ok 1 - here # SKIP no such machine
ok 2 - test/b.test.js # time=1ms
# Subtest: test/c.test.js
    not ok 1 - differs
not ok 3 - test/c.test.js # time=1ms
# time=3ms`,
    true,
  );
  t.same(lines, [
    'ok      0.0 s  test/b.test.js (0)',
    '    SKIPPED 1: no such machine',
    'FAIL    0.0 s  test/c.test.js (0)',
    '    differs',
    'Asserts: 1 pass, 1 fail, 1 skip of 3',
    '# time=3ms',
  ]);
});

t.test('a run of several files names those that took most of the processors', async t => {
  const files = Array.from({ length: 12 }, (_, i) => i + 1);
  const { lines } = summarize(
    files
      .map(
        i =>
          `# Subtest: test/${i}.test.js\n    ok 1 - fine\nok ${i} - test/${i}.test.js # time=9000ms cpu=${i * 500}ms\n`,
      )
      .concat('# time=9000ms')
      .join(''),
    true,
  );
  t.same(lines, [
    'CPU: 39 s with the processes that files waited for, of which',
    '        6.0 s  test/12.test.js',
    '        5.5 s  test/11.test.js',
    '        5.0 s  test/10.test.js',
    '        4.5 s  test/9.test.js',
    '        4.0 s  test/8.test.js',
    '        3.5 s  test/7.test.js',
    '        3.0 s  test/6.test.js',
    '        2.5 s  test/5.test.js',
    '        2.0 s  test/4.test.js',
    '        1.5 s  test/3.test.js',
    'Asserts: 12 pass, 0 fail, 0 skip of 12',
    '# time=9000ms',
  ]);
  t.notMatch(summarize('ok 1 - a # time=1ms cpu=1ms\n# time=1ms').lines.join(), /CPU/, 'of a single one nothing');
});

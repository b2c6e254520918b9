import { spawnSync } from 'node:child_process';
import t from 'tap';
import { smallFlags, usualFlags } from '../../../src/cmd/memory-flags.js';

const rows = [
  { name: 'for processes that do little', flags: smallFlags },
  { name: 'for those that turn out to do much', flags: usualFlags },
];

for (const { name, flags } of rows) {
  t.test(`this node knows the flags ${name}`, t => {
    const { status, stderr } = spawnSync(process.execPath, [...flags(), '-e', '0'], { encoding: 'utf8' });
    t.equal(status, 0, stderr);
    t.equal(stderr, '');
    t.end();
  });
}

t.test('the same patience is told in the words of each V8', t => {
  t.same(
    smallFlags('11.3.244').filter(flag => flag.includes('budget')),
    ['--interrupt-budget=2027520'],
  );
  t.same(
    smallFlags('13.6.233').filter(flag => flag.includes('count')),
    ['--invocation-count-for-turbofan=90000', '--invocation-count-for-maglev=12000'],
  );
  t.end();
});

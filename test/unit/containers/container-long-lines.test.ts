import t from 'tap';
import { captured } from '../../../src/containers/io.js';
import { busybox, containerContext } from '../../support/simulated-container.js';

const WORDS = 60_000;
const LINE = 'abcdefgh ijklmno '.repeat(WORDS);

/** Runs a script with one long line at hand; counts how often its processes ask whether the others have to have a turn. */
async function run(script: string): Promise<{ stdout: string; asked: number }> {
  const context = containerContext({ files: { '/line': `${LINE}\n` } });
  let asked = 0;
  const cpu = { spend: () => void asked++, spentMs: 0 };
  const output = captured();
  const main = await busybox({ ...context, budget: { ...context.budget, cpu } });
  await main.exec(['sh', '-c', script], { stdout: output, tty: false, signal: new AbortController().signal });
  main.kill('KILL');
  await main.exited;
  return { stdout: output.text(), asked };
}

const rows: readonly (readonly [script: string, stdout: string])[] = [
  ['rev /line | tail -c 9', 'hgfedcba\n'],
  ["awk '{ print NF, $3 }' /line", `${WORDS * 2} abcdefgh\n`],
  ["awk -F' *' '{ print length($1) }' /line", '8\n'],
  ["awk -Fg '{ print NF, $2 }' /line", `${WORDS + 1} h ijklmno abcdef\n`],
  ["awk '{ print length(toupper($0)) }' /line", `${LINE.length}\n`],
  ['awk \'{ print gsub(/i/, "") }\' /line', `${WORDS}\n`],
  ["cut -d' ' -f119999- /line", 'abcdefgh ijklmno \n'],
  ["sed 's/i/I/g' /line | tail -c 9", ' Ijklmno \n'.slice(1)],
  ['sed y/i/I/ /line | tail -c 9', ' Ijklmno \n'.slice(1)],
  ['grep -o ijk /line | wc -l', `${WORDS}\n`],
  ['grep -ow ijklmno /line | wc -l', `${WORDS}\n`],
  ['x=$(cat /line); x=${x%%i*}; echo ${#x}', '9\n'],
  ['x=$(cat /line); x=${x##*i}; echo ${#x}', '7\n'],
  ['x=$(cat /line); x=${x#*z}; echo ${#x}', `${LINE.length}\n`],
  ['x=$(cat /line); x=${x//i/}; echo ${#x}', `${LINE.length - WORDS}\n`],
  ['x=$(cat /line); case "$x" in *z*) echo z;; *mno*z) echo no;; *) echo other;; esac', 'other\n'],
  ['x=$(cat /line); [[ "$x" == *z* ]] || echo other', 'other\n'],
  ['x=$(cat /line); set -- $x; echo $#', `${WORDS * 2}\n`],
  ['set -- ${none:-$(cat /line)}; echo $#', `${WORDS * 2}\n`],
];

t.test('what programs do with a line of a megabyte leaves turns to others', async t => {
  const reading = { file: await run('wc -c /line'), variable: await run('x=$(cat /line)') };
  for (const [script, stdout] of rows) {
    const result = await run(script);
    const read = script.includes('$(cat') ? reading.variable : reading.file;
    t.equal(result.stdout, stdout, script);
    t.ok(result.asked - read.asked > 50, `${script}: asked ${result.asked - read.asked} times more than to read it`);
  }
});

t.test('fields are cut until the last that is wanted', async t => {
  t.equal((await run("cut -d' ' -f2,4-5 /line")).stdout, 'ijklmno ijklmno abcdefgh\n');
  t.equal((await run('echo a:b::d: | cut -d: -f5-,2,3-4,2-3')).stdout, 'b::d:\n');
  t.equal((await run('echo a:b | cut -d: -f3')).stdout, '\n');
});

t.test('a run of printable bytes is found whole, however long it is', async t => {
  t.equal((await run('strings /line | wc -c')).stdout, `${LINE.length + 1}\n`);
  t.equal((await run("printf 'ab\\0abcd\\0\\0longer' | strings -t d")).stdout, '      3 abcd\n      9 longer\n');
});

t.test('characters of several bytes are turned round whole, where a long line is cut as well', async t => {
  const result = await run('x=$(printf \'aé%.0s\' $(seq 9000)); echo "$x" | rev | head -c 12');
  t.equal(result.stdout, 'éaéaéaéa');
});

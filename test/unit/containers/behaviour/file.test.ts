import { Ajv } from 'ajv';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readBehaviourFile } from '../../../../src/containers/behaviour/file.js';
import { matchesGlob } from '../../../../src/containers/behaviour/glob.js';
import { behaviourSchema } from '../../../../src/containers/behaviour/schema.js';
import { inAnnotation, settingOf, SETTING_NAMES } from '../../../../src/containers/behaviour/settings.js';
import { ROOT } from '../../../support/root.js';

const HEAD = 'apiVersion: sim.kubette.io/v1alpha1\nkind: Behaviour\n';

t.test('a file', async t => {
  const { rules } = await readBehaviourFile(
    `${HEAD}rules:
- match: { image: 'ghcr.io/acme/*', labels: { app: web } }
  behaviour:
    ports: [80, 53/udp]
    log: [one, 2]
    responseBody: '{"ok": true}'
    cpu: 2
    exitCode: 3
    readiness: fail after 1m
---
# nothing
---
${HEAD}rules: []
`,
    'b.yaml',
  );
  t.same(rules, [
    {
      match: { image: 'ghcr.io/acme/*', labels: { app: 'web' } },
      behaviour: {
        ports: [
          { port: 80, protocol: 'tcp' },
          { port: 53, protocol: 'udp' },
        ],
        log: 'one\n2',
        responseBody: '{"ok": true}',
        cpu: { amount: 2000 },
        exitCode: 3,
        readiness: { healthy: false, afterMs: 60_000 },
      },
    },
  ]);
  t.same(await readBehaviourFile('', 'b.yaml'), { rules: [], stages: [] });
});

t.test('what is wrong with one', async t => {
  const rule = (behaviour: string): string => `${HEAD}rules:\n- match: {}\n  behaviour:\n    ${behaviour}\n`;
  const rows = [
    { text: 'a: [', expect: /^b\.yaml:\d: / },
    {
      text: 'a: 1',
      expect: 'b.yaml:1: want kind Behaviour of sim.kubette.io/v1alpha1, or kind Stage of kwok.x-k8s.io/v1alpha1',
    },
    { text: HEAD, expect: 'b.yaml:1: rules: want a list' },
    {
      text: `${HEAD}rule: []`,
      expect: 'b.yaml:3: rule: there is no such field, only apiVersion, kind, metadata, rules',
    },
    {
      text: `---\n${HEAD}rules: []\n---\n${HEAD}rules:\n- match: {\n    imag: x }`,
      expect: 'b.yaml:10: rules[0].match.imag: there is no such field, only image, namespace, labels, container',
    },
    {
      text: rule('exitCode: 300'),
      expect: 'b.yaml:6: rules[0].behaviour.exitCode: want a whole number from 0 to 255, not 300',
    },
    {
      text: rule('exitcode: 3'),
      expect: 'b.yaml:6: rules[0].behaviour.exitcode: there is no such setting; did you mean exitCode?',
    },
    {
      text: rule('exitCode: [3]'),
      expect: 'b.yaml:6: rules[0].behaviour.exitCode: want a whole number from 0 to 255, not [3]',
    },
    {
      text: `${HEAD}rules:\n- match: { labels: { a: 1 } }\n  behaviour: {}`,
      expect: 'b.yaml:4: rules[0].match.labels.a: want a text, not 1',
    },
    { text: `${HEAD}rules:\n- match: {}`, expect: 'b.yaml:4: rules[0].behaviour: want a map of what it does' },
  ];
  for (const { text, expect } of rows)
    await t.rejects(readBehaviourFile(text, 'b.yaml'), { name: 'BehaviourFileError', message: expect }, text);
});

t.test('globs', async t => {
  const rows: readonly [text: string, pattern: string, expect: boolean][] = [
    ['', '', true],
    ['', '*', true],
    ['abc', 'a*c', true],
    ['abc', 'a?c', true],
    ['ab', 'a?c', false],
    ['abcabd', '*ab?', true],
    ['abc', 'abc*', true],
    ['abc', 'b', false],
    ['a*c', 'a*c', true],
  ];
  for (const [text, pattern, expect] of rows) t.equal(matchesGlob(text, pattern), expect, `${text} ${pattern}`);
});

/** Writes the file anew when it says something else. */
function compare(name: string, expect: string): [before: string, expect: string] {
  const file = join(ROOT, name);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (before !== expect) writeFileSync(file, expect);
  return [before, expect];
}

t.test('the schema and the page say what the code does', async t => {
  const [schema, now] = compare('docs/behaviour.schema.json', `${JSON.stringify(behaviourSchema(), null, 2)}\n`);
  t.equal(schema, now, 'it has been written anew: look at the difference');
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = SETTING_NAMES.map(name => {
    const { kind, what } = settingOf(name);
    return `| \`${inAnnotation(name)}\` | ${cell(kind.allowed)} | ${cell(what)} |`;
  });
  const lines = readFileSync(join(ROOT, 'docs/behaviour.md'), 'utf8').split('\n');
  const first = lines.findIndex(line => line.startsWith('| `'));
  const others = lines.filter(line => !line.startsWith('| `'));
  const [page, expect] = compare(
    'docs/behaviour.md',
    [...others.slice(0, first), ...rows, ...others.slice(first)].join('\n'),
  );
  t.equal(page, expect, 'it has been written anew: look at the difference');
});

t.test('what the schema takes the reader takes', async t => {
  const validate = new Ajv({ strict: false }).compile(behaviourSchema());
  const rows = [
    { behaviour: { exitCode: 3, exitAfter: '1m30s', ports: [80, '53/udp'], log: ['a'], cpu: '80%' }, expect: true },
    { behaviour: { exitCode: 300 }, expect: false },
    { behaviour: { exitAfter: 'soon' }, expect: false },
    { behaviour: { pullError: 'no' }, expect: false },
    { behaviour: { readiness: 'maybe' }, expect: false },
    { behaviour: { exitcode: 1 }, expect: false },
  ];
  for (const { behaviour, expect } of rows) {
    const document = { apiVersion: 'sim.kubette.io/v1alpha1', kind: 'Behaviour', rules: [{ behaviour }] };
    t.equal(validate(document), expect, JSON.stringify(behaviour));
    const read = readBehaviourFile(JSON.stringify(document), 'b.json');
    await (expect ? t.resolves(read) : t.rejects(read));
  }
});

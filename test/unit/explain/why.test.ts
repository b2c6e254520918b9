import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { nearestLabels } from '../../../src/explain/selector-problem.js';
import { serviceNotes, serviceReason } from '../../../src/explain/service-reason.js';
import { podReason } from '../../../src/explain/pod-problem.js';
import { ofPort, together, works } from '../../../src/explain/verdict.js';
import { verdictText } from '../../../src/cmd/why-text.js';
import { ROOT } from '../../support/root.js';
import { CAUSES, pod, service } from '../../support/why-causes.js';

t.test('each cause in words', async t => {
  for (const { name, input, expect } of CAUSES) {
    const verdict = input();
    t.match(verdict, { ...expect, works: expect.code === 'Works' }, name);
    t.equal(verdict?.message, expect.message, `${name}: nothing else`);
    if (verdict !== undefined && !verdict.works) t.not(verdict.fix ?? '', '', `${name}: it says what to change`);
    t.ok(verdictText(verdict ?? works('')).split('\n').length <= 6, `${name}: a few lines`);
  }
});

t.test('docs/why.md has them, as they are said', async t => {
  const file = join(ROOT, 'docs/why.md');
  const text = readFileSync(file, 'utf8');
  const rows = CAUSES.map(
    ({ name, command, input }) => `| ${name} | \`${command}\` | ${(input()?.message ?? '').replaceAll('|', '\\|')} |`,
  );
  const table = ['| what is wrong | asked for | what it says |', '|---|---|---|', ...rows].join('\n');
  const [before = '', after = ''] = text.split(/\n\| what is wrong[\s\S]*\|\n(?!\|)/, 2);
  const wanted = `${before}\n${table}\n${after}`;
  if (text !== wanted) writeFileSync(file, wanted);
  t.equal(text, wanted, 'it is written anew: look at the difference, and commit it');
});

t.test('what is well has no cause', async t => {
  const ready = { metadata: { namespace: 'shop', name: 'x', labels: { 'kubernetes.io/service-name': 'web' } } };
  const endpoints = [{ addresses: ['10.244.0.2'], nodeName: 'node-1' }];
  const slices = [{ ...ready, addressType: 'IPv4', endpoints, ports: [{ port: 80 }] }];
  t.equal(serviceReason(service(), undefined, { services: [], slices, pods: [pod()] }), undefined);
  t.equal(
    serviceReason(service({ type: 'ExternalName' }), undefined, { services: [], slices: [], pods: [] }),
    undefined,
  );
  t.equal(podReason(pod(), {}), undefined);
});

t.test('what works may have Pods that do not, and policies that ask who comes', async t => {
  const gone = pod({ name: 'web-2', metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } });
  const policy = { metadata: { namespace: 'shop', name: 'deny' }, spec: { podSelector: {} } };
  const elsewhere = { metadata: { namespace: 'other', name: 'strange' }, spec: { podSelector: {} } };
  const facts = { services: [], slices: [], pods: [pod(), gone], policies: [policy, elsewhere] };
  const notes = serviceNotes(service(), facts);
  t.same(notes, [
    'Pod shop/web-2 gets no traffic: being deleted since 2026-01-02T03:04:05Z',
    'NetworkPolicy deny says who may come in: --from POD asks for that Pod',
  ]);
  t.same(serviceNotes(service({ selector: {} }), facts), [], 'a Service without a selector selects nobody');
  t.equal(
    verdictText(together([works('a'), works('b')], notes.slice(0, 1))),
    'works: a\n  b\n  Pod shop/web-2 gets no traffic: being deleted since 2026-01-02T03:04:05Z\n',
  );
  t.equal(ofPort('53/UDP', works('a')).message, 'works: port 53/UDP: a');
  const bad = { works: false, code: 'NoAnswer', message: 'c', details: [], objects: [] } as const;
  t.equal(together([works('a'), bad], notes), bad, 'the port that does not work is the answer');
});

t.test('a Pod without labels is near no selector', async t => {
  t.equal(nearestLabels({ app: 'web' }, [pod({ labels: {} })]), undefined);
});

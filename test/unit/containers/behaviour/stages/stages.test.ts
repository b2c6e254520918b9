import t from 'tap';
import { readBehaviourFile } from '../../../../../src/containers/behaviour/file.js';
import { chooseStage, delayOf, matchesStage } from '../../../../../src/containers/behaviour/stages/choose.js';
import { stageFunctions } from '../../../../../src/containers/behaviour/stages/functions.js';
import { playStage } from '../../../../../src/containers/behaviour/stages/play.js';
import type { Stage } from '../../../../../src/containers/behaviour/stages/types.js';

const stageText = (spec: object): string =>
  JSON.stringify({ apiVersion: 'kwok.x-k8s.io/v1alpha1', kind: 'Stage', metadata: { name: 's' }, spec });

async function stageOf(spec: object): Promise<Stage> {
  const { stages } = await readBehaviourFile(
    stageText({ resourceRef: { apiGroup: 'v1', kind: 'Pod' }, selector: {}, next: {}, ...spec }),
    's.yaml',
  );
  const [stage] = stages;
  if (stage === undefined) throw new Error('no stage');
  return stage;
}

const POD = {
  metadata: {
    name: 'p',
    labels: { app: 'web' },
    annotations: { note: 'x', delay: '3s', until: '2026-01-01T00:00:10Z', weight: '7', odd: 'soon' },
    finalizers: ['a', 'b'],
    ownerReferences: [{ kind: 'Job' }],
  },
  spec: { nodeName: 'n', containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '1' } } }] },
  status: { phase: 'Running', ready: true, count: 3, conditions: [{ type: 'Ready', status: 'True' }] },
};
const NOW = Date.parse('2026-01-01T00:00:00Z');

t.test('selectors', async t => {
  const key = (text: string, operator: string, values?: string[]) => ({
    matchExpressions: [{ key: text, operator, ...(values === undefined ? {} : { values }) }],
  });
  const rows: readonly [selector: object, expect: boolean][] = [
    [{}, true],
    [{ matchLabels: { app: 'web' } }, true],
    [{ matchLabels: { app: 'db' } }, false],
    [{ matchAnnotations: { note: 'x' } }, true],
    [{ matchAnnotations: { note: 'y' } }, false],
    [key('.metadata.deletionTimestamp', 'DoesNotExist'), true],
    [key('.metadata.deletionTimestamp', 'Exists'), false],
    [key('.status.phase', 'In', ['Pending', 'Running']), true],
    [key('.status.phase', 'NotIn', ['Running']), false],
    [key('.status.conditions.[] | select( .type == "Ready" ) | .status', 'In', ['True']), true],
    [key('.status.initContainerStatuses.[].state', 'In', ['x']), false],
    [key('.status.initContainerStatuses.[].state', 'NotIn', ['x']), true],
    [key('.status.count', 'In', ['3']), true],
    [key('.status.ready', 'In', ['true']), true],
    [{ matchExpressions: [{ jq: { key: '.status.phase', operator: 'In', values: ['Running'] } }] }, true],
    [{ matchLabels: { app: 'web' }, ...key('.status.phase', 'In', ['Failed']) }, false],
  ];
  for (const [selector, expect] of rows)
    t.equal(matchesStage(await stageOf({ selector }), POD), expect, JSON.stringify(selector));
});

t.test('which of several', async t => {
  const weighed = (name: string, weight: object) => stageOf({ ...weight }).then(stage => ({ ...stage, name }));
  const three = await Promise.all([
    weighed('none', {}),
    weighed('one', { weight: 1 }),
    weighed('from', { weight: 1, weightFrom: { expressionFrom: '.metadata.annotations["weight"]' } }),
  ]);
  const chosen = (stages: readonly Stage[], chance: number): string | undefined =>
    chooseStage(stages, POD, () => chance)?.name;
  t.same(
    [0, 0.12, 0.13, 0.99].map(chance => chosen(three, chance)),
    ['one', 'one', 'from', 'from'],
  );
  const [none] = three;
  t.same(
    [0, 0.6].map(chance => chosen([none, { ...none, name: 'other' }], chance)),
    ['none', 'other'],
    'all without weight',
  );
  t.equal(chosen([], 0), undefined);
});

t.test('delays', async t => {
  const at = (path: string) => ({ expressionFrom: path });
  const rows: readonly [delay: object | undefined, expect: number][] = [
    [undefined, 0],
    [{ durationMilliseconds: 1000 }, 1000],
    [{ durationMilliseconds: 1000, jitterDurationMilliseconds: 3000 }, 2000],
    [{ durationMilliseconds: 1000, jitterDurationMilliseconds: 500 }, 500],
    [{ durationMilliseconds: 1000, durationFrom: at('.metadata.annotations["delay"]') }, 3000],
    [{ durationMilliseconds: 1000, durationFrom: { jq: { expression: '.metadata.annotations["delay"]' } } }, 3000],
    [{ durationMilliseconds: 1000, durationFrom: at('.metadata.annotations["none"]') }, 1000],
    [{ durationMilliseconds: 1000, durationFrom: at('.metadata.annotations["odd"]') }, 1000],
    [{ durationMilliseconds: 1000, durationFrom: at('.metadata.annotations["until"]') }, 10_000],
    [{ jitterDurationMilliseconds: 1000 }, 0],
  ];
  for (const [delay, expect] of rows)
    t.equal(
      delayOf(await stageOf({ delay }), POD, NOW, () => 0.5),
      expect,
      JSON.stringify(delay),
    );
});

const functions = stageFunctions({
  now: () => '2026-01-01T00:00:00Z',
  startTime: '2025-12-31T00:00:00Z',
  version: 'v1',
  nodeName: 'n',
  nodeIP: '10.0.0.1',
  nodePort: () => 10250,
  nodeConditions: () => [{ type: 'Ready', status: 'True' }],
  podIP: () => '10.1.0.1',
});

t.test('what is done', async t => {
  const statusTemplate = `
{{ $now := Now }}
conditions:
{{ range .status.conditions }}
- type: {{ .type | Quote }}
  status: "False"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  restartCount: 0
  {{ with .resources }}
  resources:
  {{ YAML . 1 }}
  {{ end }}
{{ end }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
`;
  const status = {
    conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    containerStatuses: [{ name: 'c', restartCount: 0, resources: { requests: { cpu: '1' } } }],
    podIP: '10.1.0.1',
    hostIP: '10.0.0.1',
  };
  const rows: readonly [spec: object, expect: unknown[]][] = [
    [{ next: { delete: false } }, []],
    [{ next: { statusTemplate } }, [{ kind: 'patch', type: 'strategic', subresource: 'status', body: { status } }]],
    [
      { next: { event: { type: 'Warning', reason: 'Bad', message: 'of {{ .metadata.name }}' }, delete: true } },
      [{ kind: 'event', type: 'Warning', reason: 'Bad', message: 'of p' }, { kind: 'delete' }],
    ],
    [
      { next: { finalizers: { add: [{ value: 'c' }], remove: [{ value: 'a' }] } } },
      [{ kind: 'patch', type: 'merge', subresource: undefined, body: { metadata: { finalizers: ['b', 'c'] } } }],
    ],
    [
      { next: { finalizers: { empty: true } } },
      [{ kind: 'patch', type: 'merge', subresource: undefined, body: { metadata: { finalizers: [] } } }],
    ],
    [{ next: { finalizers: { add: [{ value: 'a' }] } } }, []],
    [
      { next: { patches: [{ root: 'metadata', type: 'merge', template: 'labels: { seen: "yes" }' }] } },
      [{ kind: 'patch', type: 'merge', subresource: undefined, body: { metadata: { labels: { seen: 'yes' } } } }],
    ],
    [
      {
        next: undefined,
        steps: [
          { patch: { root: 'metadata', type: 'json', template: '[{ op: remove, path: /labels/app }]' } },
          { event: { reason: 'Gone' } },
          { delete: true },
          { patch: { template: '{}' } },
        ],
      },
      [
        { kind: 'patch', type: 'json', subresource: undefined, body: [{ op: 'remove', path: '/metadata/labels/app' }] },
        { kind: 'event', type: 'Normal', reason: 'Gone', message: '' },
        { kind: 'delete' },
      ],
    ],
  ];
  for (const [spec, expect] of rows)
    t.match(await playStage(await stageOf(spec), POD, functions), expect, JSON.stringify(spec));
  await t.rejects(playStage(await stageOf({ next: { statusTemplate: 'a: [' } }), POD, functions), {
    name: 'TemplateError',
    message: /^makes no YAML: /,
  });
});

t.test('what is not supported is refused by name', async t => {
  const rows: readonly [spec: object, expect: string][] = [
    [
      { resourceRef: { kind: 'Deployment' } },
      's.yaml:1: spec.resourceRef.kind: Stages of Pods and Nodes (v1) are supported, not of "Deployment"',
    ],
    [
      { selector: { matchExpressions: [{ cel: { expression: 'true' } }] } },
      's.yaml:1: spec.selector.matchExpressions[0].cel: there is no such field, only key, operator, values',
    ],
    [
      { selector: { matchExpressions: [{ key: '.a', operator: 'Near' }] } },
      's.yaml:1: spec.selector.matchExpressions[0].operator: want one of In, NotIn, Exists, DoesNotExist',
    ],
    [
      { selector: { matchExpressions: [{ key: '.a', operator: 'In' }] } },
      's.yaml:1: spec.selector.matchExpressions[0].values: In wants values',
    ],
    [
      { selector: { matchExpressions: [{ key: '.a | test("x")', operator: 'Exists' }] } },
      /^s\.yaml:1: spec\.selector\.matchExpressions\[0\]\.key: the function "test" is not supported, only /.source,
    ],
    [
      { next: { statusTemplate: 'a: {{ env "HOME" }}' } },
      's.yaml:1: spec.next.statusTemplate: line 1: the function "env" is not supported',
    ],
    [
      { next: { statusPatchAs: { username: 'x' } } },
      's.yaml:1: spec.next.statusPatchAs: there is no such field, only event, finalizers, delete, statusTemplate, statusSubresource, patches',
    ],
    [
      { delay: { durationMilliseconds: '1s' } },
      's.yaml:1: spec.delay.durationMilliseconds: want a whole number, not "1s"',
    ],
    [{ steps: [] }, 's.yaml:1: spec.next: next and steps say the same: want one of them'],
  ];
  for (const [spec, expect] of rows)
    await t.rejects(stageOf(spec), {
      name: 'BehaviourFileError',
      message: expect.startsWith('^') ? new RegExp(expect) : expect,
    });
  await t.rejects(readBehaviourFile('apiVersion: kwok.x-k8s.io/v2\nkind: Stage', 's.yaml'), {
    message: 's.yaml:1: apiVersion: want kwok.x-k8s.io/v1alpha1 of a Stage',
  });
  t.same(
    (await readBehaviourFile(stageText({ resourceRef: { kind: 'Pod' }, next: {} }), 's.yaml')).stages,
    [],
    'no selector: of nothing',
  );
});

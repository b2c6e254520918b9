import t from 'tap';
import { transition, type Held, type StoreState } from '../../../src/testing/store-state.js';

const object = (uid: string, more = {}): Buffer => Buffer.from(JSON.stringify({ metadata: { uid }, ...more }));
const state = (held: Readonly<Record<string, Buffer | Held>>): StoreState =>
  new Map(Object.entries(held).map(([key, value]) => [key, 'value' in value ? value : { value }]));

const POD = '/registry/pods/default/a';
const CRD = '/registry/apiextensions.k8s.io/customresourcedefinitions/widgets.example.com';
const WIDGET = '/registry/example.com/widgets/default/w';

t.test('what makes one state of another', async t => {
  const cases = [
    { name: 'nothing, of the same', now: { [POD]: object('1') }, wanted: { [POD]: object('1') }, expect: [] },
    {
      name: 'nothing is compared that is known to be the same',
      now: { [POD]: { value: object('1'), modRevision: 7 } },
      wanted: { [POD]: { value: object('2'), modRevision: 7 } },
      expect: [],
    },
    { name: 'what is too much goes', now: { [POD]: object('1') }, wanted: {}, expect: [[`delete ${POD}`]] },
    { name: 'what is missing comes', now: {}, wanted: { [POD]: object('1') }, expect: [[`put ${POD}`]] },
    {
      name: 'what has changed is written',
      now: { [POD]: object('1', { spec: {} }) },
      wanted: { [POD]: object('1') },
      expect: [[`put ${POD}`]],
    },
    {
      name: 'another one of the same name goes before it comes',
      now: { [POD]: object('2') },
      wanted: { [POD]: object('1') },
      expect: [[`delete ${POD}`], [`put ${POD}`]],
    },
    {
      name: 'definitions go after what they define',
      now: { [CRD]: object('1'), [WIDGET]: object('2') },
      wanted: {},
      expect: [[`delete ${WIDGET}`], [`delete ${CRD}`]],
    },
    {
      name: 'definitions come before what they define',
      now: {},
      wanted: { [WIDGET]: object('2'), [CRD]: object('1') },
      expect: [[`put ${CRD}`], [`put ${WIDGET}`]],
    },
    {
      name: 'a definition that takes the place of another one comes before its objects',
      now: { [CRD]: object('1') },
      wanted: { [WIDGET]: object('2'), [CRD]: object('3') },
      expect: [[`delete ${CRD}`], [`put ${CRD}`], [`put ${WIDGET}`]],
    },
  ];
  for (const { name, now, wanted, expect } of cases) {
    const commits = transition(state(now), state(wanted));
    t.same(
      commits.map(ops => ops.map(({ type, key }) => `${type} ${key}`)),
      expect,
      name,
    );
    t.ok(
      commits.flat().every(({ ownRevision }) => ownRevision === true),
      'each change is one that a watch can go on from',
    );
  }
});

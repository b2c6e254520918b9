import { join } from 'node:path';
import t from 'tap';
import { readReport } from '../upstream/report.js';

const spec = (text: string, State: string, message?: string): object => ({
  ContainerHierarchyTexts: ['[sig-network] Services'],
  LeafNodeText: text,
  LeafNodeType: 'It',
  State,
  ...(message === undefined ? {} : { Failure: { Message: message } }),
});
const node = (LeafNodeType: string, State: string, message?: string): object => ({
  ...spec('', State, message),
  ContainerHierarchyTexts: null,
  LeafNodeType,
});

const TABLE: {
  readonly name: string;
  readonly input: readonly object[] | null;
  readonly expect: ReturnType<typeof readReport>;
}[] = [
  { name: 'nothing ran', input: null, expect: { passed: [], failed: [], broken: [] } },
  {
    name: 'what was left out is in no list',
    input: [
      node('SynchronizedBeforeSuite', 'passed'),
      spec('b', 'passed'),
      spec('a', 'passed'),
      spec('c', 'skipped'),
      spec('d', 'pending'),
    ],
    expect: { passed: ['[sig-network] Services a', '[sig-network] Services b'], failed: [], broken: [] },
  },
  {
    name: 'a set that fails as a whole is a finding',
    input: [spec('b', 'timedout'), spec('a', 'failed', 'refused\nby the node')],
    expect: {
      passed: [],
      failed: [
        { name: '[sig-network] Services a', why: 'refused' },
        { name: '[sig-network] Services b', why: 'timedout' },
      ],
      broken: [],
    },
  },
  {
    name: 'what fails before the specs is none of them',
    input: [node('SynchronizedBeforeSuite', 'failed', 'no nodes')],
    expect: { passed: [], failed: [], broken: [{ name: 'SynchronizedBeforeSuite', why: 'no nodes' }] },
  },
];

for (const { name, input, expect } of TABLE)
  t.test(name, async t => {
    const folder = t.testdir({ 'report.json': JSON.stringify([{ SpecReports: input }]) });
    t.same(readReport(join(folder, 'report.json')), expect);
  });

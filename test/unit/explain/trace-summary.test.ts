import t from 'tap';
import { summarize } from '../../../src/explain/trace-summary.js';
import type { TraceReport } from '../../../src/nodeagent/kubelet-api/trace-report.js';

const before = { proto: 'tcp', src: '10.244.0.9', srcPort: 4000, dst: '10.96.0.5', dstPort: 80 } as const;
const after = { ...before, dst: '10.244.1.2', dstPort: 8080 } as const;
const report: TraceReport = {
  version: 'v1',
  from: { kind: 'pod', namespace: 'shop', name: 'cli', addresses: ['10.244.0.9'], node: 'n1' },
  url: 'http://10.96.0.5/',
  lookup: {
    name: '10.96.0.5',
    nameservers: [],
    search: [],
    ndots: 5,
    clusterDomain: 'cluster.local',
    dnsPolicy: 'ClusterFirst',
    addresses: ['10.96.0.5'],
    canonicalName: '10.96.0.5',
    fromHosts: false,
    queries: [],
    unanswered: [],
  },
  connection: {
    protocol: 'tcp',
    to: { address: '10.96.0.5', port: 80 },
    steps: [
      {
        kind: 'netfilter',
        node: 'n1',
        direction: 'request',
        hook: 'prerouting',
        in: before,
        out: after,
        verdict: 'accept',
        rules: [
          {
            kind: 'rule',
            hook: 'prerouting',
            effect: 'jump KUBE-SERVICES',
            origin: { kind: 'Proxy', name: 'kube-proxy' },
          },
          {
            kind: 'rule',
            hook: 'prerouting',
            table: 'nat',
            chain: 'KUBE-SEP-A',
            ruleNumber: 2,
            effect: 'dnat: destination becomes 10.244.1.2:8080',
            probability: 0.5,
            origin: { kind: 'EndpointSlice', namespace: 'shop', name: 'web-x', endpoint: '10.244.1.2:8080' },
          },
        ],
      },
      { kind: 'deliver', node: 'n2', to: 'pod shop/web-1', flow: after },
    ],
  },
  reply: { status: 200, contentType: 'text/plain', body: '' },
};

t.test('an association of SCTP', async t => {
  const flow = { ...after, proto: 'sctp' } as const;
  const connection = {
    protocol: 'sctp',
    to: { address: '10.96.0.5', port: 132 },
    steps: [{ kind: 'deliver', node: 'n1', to: 'pod shop/web', flow }],
  } as const;
  const { reply: _reply, ...rest } = report;
  const text = summarize({ ...rest, url: 'sctp://web:132', connection }, undefined, { colors: false, width: 200 });
  t.match(text, /sctp:\/\/web:132: connected to pod shop\/web \(10\.244\.1\.2:8080\)/);
});

t.test('a trace in short: how it ended, then what changed the packet', async t => {
  t.equal(
    summarize(report, undefined, { colors: false, width: undefined }),
    'OK shop/cli (10.244.0.9 on n1) -> http://10.96.0.5/: HTTP 200 from pod shop/web-1 (10.244.1.2:8080)\n' +
      'request  n1: tcp 10.244.0.9:4000 -> 10.96.0.5:80 (and 1 rule that changes nothing)\n' +
      '           nat/KUBE-SEP-A #2: DNAT: destination becomes 10.244.1.2:8080 (EndpointSlice shop/web-x, endpoint 10.244.1.2:8080; by chance, 50 %)\n' +
      '         n2: delivered to pod shop/web-1\n' +
      '-v shows every rule, -o json all of it\n',
  );
});

t.test('it is ten lines, however long the way was', async t => {
  const { connection } = report;
  const [first] = connection?.steps ?? [];
  if (connection === undefined || first === undefined) throw new Error('it has one');
  const steps = [...Array.from({ length: 20 }, () => first), ...connection.steps.slice(-1)];
  const lines = summarize({ ...report, connection: { ...connection, steps } }, undefined, {
    colors: false,
    width: undefined,
  }).split('\n');
  t.equal(lines.length, 11, 'ten, and the end of the last');
  t.match(lines[5], '… 34 more steps');
  t.match(lines[8], 'delivered to pod shop/web-1', 'how it ended is told');
});

t.test('names with one answer stand in one line, and a silent server in one', async t => {
  const { connection: _connection, reply: _reply, ...rest } = report;
  const query = (name: string) => ({
    question: { name, type: 'A' as const },
    server: '10.96.0.10',
    rcode: 'NXDOMAIN',
    authoritative: true,
    records: [],
    steps: [],
  });
  const silent = { question: 'A web', server: '10.96.0.10', error: 'no answer', steps: [] };
  const lookup = {
    ...report.lookup,
    name: 'web',
    queries: [query('web.shop'), query('web')],
    unanswered: [silent, silent],
  };
  const text = summarize({ ...rest, lookup, error: 'no' }, undefined, { colors: false, width: undefined });
  t.match(text, 'dns      web.shop, web: NXDOMAIN\ndns      web: no answer from 10.96.0.10\n-v');
});

t.test('lines fit the terminal, and nothing in them commands it', async t => {
  const steps = [{ kind: 'fail', node: 'n1', code: 'X', message: '\x1b[2J'.padEnd(200, '.') }] as const;
  const { connection } = report;
  if (connection === undefined) throw new Error('it has one');
  const failed = { ...report, error: 'bad\x1b[2J', connection: { ...connection, steps } };
  const reason = { code: 'NoAnswer', message: 'silence', details: ['a'], objects: [], fix: 'wait' } as const;
  const lines = summarize(failed, reason, { colors: true, width: 60 }).split('\n');
  t.equal(lines[0], '\x1b[31mFAILED\x1b[0m shop/cli (10.244.0.9 on n1) -> http://10.96.0.5/: silence');
  t.equal(lines[1], '  a');
  t.match(lines[2], /to mend it: wait/);
  t.equal(lines[3]?.length, 60);
  t.equal(lines.slice(3).join('').includes('\x1b[2J'), false);
});

t.test('of several requests it says who answered how often', async t => {
  const { connection } = report;
  if (connection === undefined) throw new Error('it has one');
  const attempts = [{ connection }, { connection }, { connection, error: 'refused' }];
  const text = summarize({ ...report, attempts }, undefined, { colors: false, width: undefined });
  t.match(text, '3 requests:\n     2    67 %  pod shop/web-1 (10.244.1.2:8080)\n     1    33 %  refused\n');
});

import t from 'tap';
import { diffRules, formatRules, formatSync, type NodeRules, ofService, rulesOf } from '../../../src/cmd/rules-text.js';

const origin = (kind: 'Service' | 'EndpointSlice', name: string) => ({ kind, namespace: 'shop', name });

const IPTABLES: NodeRules = {
  tables: [
    {
      table: 'nat',
      chains: [
        {
          name: 'KUBE-SERVICES',
          rules: [
            { text: '-d 10.96.0.1/32 -j KUBE-SVC-A', origin: origin('Service', 'web') },
            { text: '-d 10.96.0.2/32 -j KUBE-SVC-B', origin: origin('Service', 'webhook') },
            { text: '-j KUBE-NODEPORTS' },
          ],
        },
        { name: 'KUBE-SEP-A', rules: [{ text: '-j DNAT', origin: origin('EndpointSlice', 'web-x') }] },
      ],
    },
  ],
  nftables: [],
  ipvs: [],
};
const NFTABLES: NodeRules = {
  tables: [],
  ipvs: [],
  nftables: [
    {
      table: 'kube-proxy',
      sets: [
        {
          name: 'service-ips',
          kind: 'map',
          elements: [
            '10.96.0.1 . tcp . 80 : goto service-ABCDEFGH-shop/web/tcp/http',
            '10.96.0.2 . tcp . 80 : goto service-ABCDEFGH-shop/webhook/tcp/http',
            '10.96.0.3 . tcp . 80 comment "shop/web:https" : drop',
          ],
        },
      ],
      chains: [{ name: 'services', rules: [{ text: 'jump x' }] }],
    },
  ],
};

const IPVS: NodeRules = {
  tables: [],
  nftables: [],
  ipvs: ['web', 'other'].map(name => ({
    protocol: 'tcp',
    address: '10.96.0.1',
    port: 80,
    realServers: [{ address: '10.244.0.2', port: 8080, weight: 1 }],
    origin: origin('Service', name),
  })),
};

t.test('the rules of one Service are its own, its slices’ and the elements that name it', async t => {
  const slices = new Set(['shop/web-x']);
  t.equal(
    formatRules(ofService(rulesOf(IPTABLES), 'shop/web', slices)),
    'nat KUBE-SERVICES\n  -d 10.96.0.1/32 -j KUBE-SVC-A\nnat KUBE-SEP-A\n  -j DNAT\n',
  );
  t.equal(
    formatRules(ofService(rulesOf(IPVS), 'shop/web', slices)),
    'ipvs tcp 10.96.0.1:80\n  10.244.0.2:8080 weight 1\n',
  );
  t.equal(
    formatRules(ofService(rulesOf(NFTABLES), 'shop/web', slices)),
    'kube-proxy map service-ips\n' +
      '  10.96.0.1 . tcp . 80 : goto service-ABCDEFGH-shop/web/tcp/http\n' +
      '  10.96.0.3 . tcp . 80 comment "shop/web:https" : drop\n',
  );
});

t.test('two nodes differ by lines, place by place', async t => {
  const all = rulesOf(IPTABLES);
  t.equal(diffRules(all, all), '');
  const [first, ...rest] = all;
  t.equal(diffRules(all, rest), `nat KUBE-SERVICES\n- ${first?.text ?? ''}\n`);
  t.equal(
    diffRules(rest, [...all, { place: 'nat KUBE-SEP-A', text: '-j DNAT' }]),
    `nat KUBE-SERVICES\n+ ${first?.text ?? ''}\nnat KUBE-SEP-A\n+ -j DNAT\n`,
    'a line that is there twice counts twice',
  );
});

t.test('a sync is told with what caused it', async t => {
  const sync = {
    time: '2026-01-01T00:00:00.000Z',
    family: 'IPv4',
    full: false,
    milliseconds: 1.26,
    causes: [{ event: 'MODIFIED', kind: 'EndpointSlice', namespace: 'shop', name: 'web-x', resourceVersion: '7' }],
    moreCauses: 2,
  } as const;
  t.equal(
    formatSync(sync, 'nat KUBE-SVC-A\n- x\n'),
    '2026-01-01T00:00:00.000Z IPv4 partial sync, 1.3 ms\n' +
      '  MODIFIED EndpointSlice shop/web-x (resourceVersion 7)\n  and 2 more\nnat KUBE-SVC-A\n- x\n\n',
  );
  t.match(formatSync({ ...sync, error: 'no' }, ''), /IPv4 sync failed: no, /);
});

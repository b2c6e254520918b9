import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import t from 'tap';
import { execute } from '../../support/simulated-container.js';
import { twoNodes } from '../../support/two-nodes.js';

const WEB = 'web.default.svc.cluster.local';
const SOA: Answer = {
  type: 'SOA',
  name: 'cluster.local',
  ttl: 5,
  data: {
    mname: 'ns.dns.cluster.local',
    rname: 'hostmaster.cluster.local',
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: 5,
  },
};

/** The name server that the recordings were made with. */
function answer(payload: Buffer): Buffer {
  const { id = 0, questions = [], additionals = [] } = decode(payload);
  const { name = '', type = 'A' } = questions[0] ?? {};
  const found = answersOf(name, type);
  const denied = found === undefined || found.length === 0;
  const isThere = name.startsWith('web.default');
  return encode({
    type: 'response',
    id,
    flags: AUTHORITATIVE_ANSWER | RECURSION_DESIRED | (found === undefined && !isThere ? 3 : 0),
    questions,
    answers: found ?? [],
    authorities: denied && type !== 'MX' ? [SOA] : [],
    additionals:
      additionals.length === 0
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: 1232,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
  });
}

function answersOf(name: string, type: string): Answer[] | undefined {
  if (name === WEB && type === 'A') return [{ type: 'A', name, ttl: 5, data: '10.96.0.20' }];
  if (type === 'SRV') return [{ type: 'SRV', name, ttl: 5, data: { priority: 0, weight: 100, port: 80, target: WEB } }];
  if (type === 'PTR') return [{ type: 'PTR', name, ttl: 5, data: WEB }];
  if (type === 'TXT') return [{ type: 'TXT', name, ttl: 5, data: ['1.1.0', 'x y'] }];
  if (type === 'MX')
    return name === 'mx.test' ? [{ type: 'MX', name, ttl: 5, data: { preference: 10, exchange: 'mail.test' } }] : [];
  if (name === 'c.test')
    return [
      { type: 'CNAME', name, ttl: 5, data: WEB },
      { type: 'A', name: WEB, ttl: 5, data: '10.96.0.20' },
    ];
  return undefined;
}

/** What dig and host of BIND 9.18 print of its answers. */
const RECORDED: readonly (readonly [command: string, output: string])[] = [
  [
    'dig @10.244.2.2 web.default.svc.cluster.local',
    `
; <<>> DiG 9.18.49 <<>> @10.244.2.2 web.default.svc.cluster.local
; (1 server found)
;; global options: +cmd
;; Got answer:
;; WARNING: .local is reserved for Multicast DNS
;; You are currently testing what happens when an mDNS query is leaked to DNS
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: N
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1
;; WARNING: recursion requested but not available

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;web.default.svc.cluster.local.	IN	A

;; ANSWER SECTION:
web.default.svc.cluster.local. 5 IN	A	10.96.0.20

;; Query time: N msec
;; SERVER: 10.244.2.2#53(10.244.2.2) (UDP)
;; WHEN: T
;; MSG SIZE  rcvd: 103

`,
  ],
  [
    'dig @10.244.2.2 nosuch.default.svc.cluster.local',
    `
; <<>> DiG 9.18.49 <<>> @10.244.2.2 nosuch.default.svc.cluster.local
; (1 server found)
;; global options: +cmd
;; Got answer:
;; WARNING: .local is reserved for Multicast DNS
;; You are currently testing what happens when an mDNS query is leaked to DNS
;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: N
;; flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 1
;; WARNING: recursion requested but not available

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;nosuch.default.svc.cluster.local. IN	A

;; AUTHORITY SECTION:
cluster.local.		5	IN	SOA	ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5

;; Query time: N msec
;; SERVER: 10.244.2.2#53(10.244.2.2) (UDP)
;; WHEN: T
;; MSG SIZE  rcvd: 154

`,
  ],
  [
    'dig @10.244.2.2 +short -x 10.96.0.20',
    `web.default.svc.cluster.local.
`,
  ],
  [
    'dig @10.244.2.2 +short SRV _http._tcp.web',
    `0 100 80 web.default.svc.cluster.local.
`,
  ],
  [
    'dig @10.244.2.2 +short c.test',
    `web.default.svc.cluster.local.
10.96.0.20
`,
  ],
  [
    'dig @10.244.2.2 +short -t TXT x.test',
    `"1.1.0" "x y"
`,
  ],
  [
    'dig @10.244.2.2 +noall +answer c.test',
    `c.test.			5	IN	CNAME	web.default.svc.cluster.local.
web.default.svc.cluster.local. 5 IN	A	10.96.0.20
`,
  ],
  [
    'dig @10.244.2.2 -x 10.96.0.20 +noedns',
    `
; <<>> DiG 9.18.49 <<>> @10.244.2.2 -x 10.96.0.20 +noedns
; (1 server found)
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: N
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0
;; WARNING: recursion requested but not available

;; QUESTION SECTION:
;20.0.96.10.in-addr.arpa.	IN	PTR

;; ANSWER SECTION:
20.0.96.10.in-addr.arpa. 5	IN	PTR	web.default.svc.cluster.local.

;; Query time: N msec
;; SERVER: 10.244.2.2#53(10.244.2.2) (UDP)
;; WHEN: T
;; MSG SIZE  rcvd: 107

`,
  ],
  [
    'dig @10.244.2.2 AAAA web.default.svc.cluster.local +nocookie',
    `
; <<>> DiG 9.18.49 <<>> @10.244.2.2 AAAA web.default.svc.cluster.local +nocookie
; (1 server found)
;; global options: +cmd
;; Got answer:
;; WARNING: .local is reserved for Multicast DNS
;; You are currently testing what happens when an mDNS query is leaked to DNS
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: N
;; flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 1
;; WARNING: recursion requested but not available

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;web.default.svc.cluster.local.	IN	AAAA

;; AUTHORITY SECTION:
cluster.local.		5	IN	SOA	ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5

;; Query time: N msec
;; SERVER: 10.244.2.2#53(10.244.2.2) (UDP)
;; WHEN: T
;; MSG SIZE  rcvd: 151

`,
  ],
  ['dig @10.244.2.2 +short nosuch', ``],
  [
    'dig @10.244.2.2 MX mx.test +short',
    `10 mail.test.
`,
  ],
  [
    'dig @10.244.2.2 SOA nosuch.x +noall +authority',
    `cluster.local.		5	IN	SOA	ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
`,
  ],
  [
    'host web.default.svc.cluster.local 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

web.default.svc.cluster.local has address 10.96.0.20
`,
  ],
  [
    'host 10.96.0.20 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

20.0.96.10.in-addr.arpa domain name pointer web.default.svc.cluster.local.
`,
  ],
  [
    'host -t SRV _http._tcp.web 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

_http._tcp.web has SRV record 0 100 80 web.default.svc.cluster.local.
`,
  ],
  [
    'host nosuch.x 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

Host nosuch.x not found: 3(NXDOMAIN)
`,
  ],
  [
    'host c.test 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

c.test is an alias for web.default.svc.cluster.local.
web.default.svc.cluster.local has address 10.96.0.20
`,
  ],
  [
    'host -t TXT x.test 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

x.test descriptive text "1.1.0" "x y"
`,
  ],
  [
    'host -t MX mx.test 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

mx.test mail is handled by 10 mail.test.
`,
  ],
  [
    'host -t AAAA web.default.svc.cluster.local 10.244.2.2',
    `Using domain server:
Name: 10.244.2.2
Address: 10.244.2.2#53
Aliases: 

web.default.svc.cluster.local has no AAAA record
`,
  ],
];

const steady = (text: string): string =>
  text
    .replace(/id: \d+/g, 'id: N')
    .replace(/Query time: \d+/g, 'Query time: N')
    .replace(/WHEN: .*/g, 'WHEN: T');

t.test('dig and host print what BIND prints', async t => {
  const { one, two, close } = await twoNodes({ services: [], slices: [] });
  const client = one.network.attach(['10.244.1.2'], 'pod default/client');
  two.network.attach(['10.244.2.2'], 'pod kube-system/dns').listenUdp(53, answer);
  for (const [command, output] of RECORDED) {
    const { stdout, stderr } = await execute(['sh', '-c', command], { network: client, image: 'netshoot' });
    t.equal(steady(stdout) + stderr, output, command);
  }
  close();
});

const FAILURES: readonly { readonly script: string; readonly expect: string; readonly exit: number }[] = [
  {
    script: 'dig @10.244.2.3 web +tries=1',
    expect:
      ';; communications error to 10.244.2.3#53: connection refused\n\n; <<>> DiG 9.18.49 <<>> @10.244.2.3 web +tries=1\n; (1 server found)\n;; global options: +cmd\n;; no servers could be reached\n',
    exit: 9,
  },
  { script: 'dig @10.244.2.3 web +trace', expect: 'dig: not simulated here: dig +trace\n', exit: 1 },
  { script: 'dig @10.244.2.3 web CAA', expect: 'dig: not simulated here: records of type CAA\n', exit: 1 },
  { script: 'host -a web', expect: 'host: not simulated here: host -a\n', exit: 1 },
];

t.test('what dig and host say where nobody answers', async t => {
  const { one, two, close } = await twoNodes({ services: [], slices: [] });
  const client = one.network.attach(['10.244.1.2'], 'pod default/client');
  two.network.attach(['10.244.2.3'], 'pod default/deaf');
  for (const { script, expect, exit } of FAILURES) {
    const result = await execute(['sh', '-c', script], { network: client, image: 'netshoot' });
    t.equal(result.stdout + result.stderr, expect, script);
    t.equal(result.exit, exit, `${script}: exit code`);
  }
  close();
});

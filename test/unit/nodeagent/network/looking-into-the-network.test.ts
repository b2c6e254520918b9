import t from 'tap';
import type { NetNamespace } from '../../../../src/containers/network/types.js';
import type { ProxyMode } from '../../../../src/dataplane/proxiers/modes.js';
import { execute } from '../../../support/simulated-container.js';
import { service, slice, twoNodes, whoAmI } from '../../../support/two-nodes.js';
import { until } from '../../../support/until.js';

const WEB = {
  services: [service('web', { clusterIP: '10.96.0.20', ports: [{ port: 80, protocol: 'TCP' }] })],
  slices: [slice('web', 'TCP', 8080, ['10.244.2.2', 'node-2'])],
};

async function shop(mode: ProxyMode = 'iptables') {
  const { one, two, close } = await twoNodes({ ...WEB, mode });
  const client = one.network.attach(['10.244.1.2'], 'pod default/client');
  const neighbour = one.network.attach(['10.244.1.3'], 'pod default/neighbour');
  const server = two.network.attach(['10.244.2.2'], 'pod default/web');
  whoAmI(server, 8080);
  whoAmI(neighbour, 8080);
  return { one, two, client, neighbour, server, close };
}

/** Times, numbers and ports that chance gives. */
const steady = (text: string): string =>
  text
    .replace(/= [\d./]+ ms/g, '= N ms')
    .replace(/\d+\.\d+ ms/g, 'N ms')
    .replace(/time=[\d.]+/g, 'time=N')
    .replace(/time \d+ms/g, 'time Nms')
    .replace(/^\d\d:\d\d:\d\d\.\d{6} /gm, '')
    .replace(/TS val \d+ ecr \d+/g, 'TS')
    .replace(/(10\.244\.1\.2)\.\d{5}\b/g, '$1.P')
    .replace(/seq \d{4,}/g, 'seq N')
    .replace(/ack \d{4,}/g, 'ack N');

interface Row {
  readonly name: string;
  readonly from?: 'client' | 'node';
  readonly image?: string;
  readonly script: string;
  readonly expect: string;
  readonly exit?: number;
}

const ROWS: readonly Row[] = [
  {
    name: 'ping of a Pod on another node, BusyBox',
    image: 'busybox',
    script: 'ping -c 1 10.244.2.2',
    expect:
      'PING 10.244.2.2 (10.244.2.2): 56 data bytes\n64 bytes from 10.244.2.2: seq=0 ttl=62 time=N ms\n\n--- 10.244.2.2 ping statistics ---\n1 packets transmitted, 1 packets received, 0% packet loss\nround-trip min/avg/max = N ms\n',
  },
  {
    name: 'ping of a Pod on the same bridge, iputils',
    script: 'ping -c 1 10.244.1.3',
    expect:
      'PING 10.244.1.3 (10.244.1.3) 56(84) bytes of data.\n64 bytes from 10.244.1.3: icmp_seq=1 ttl=64 time=N ms\n\n--- 10.244.1.3 ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time Nms\nrtt min/avg/max/mdev = N ms\n',
  },
  {
    name: 'ping of another node',
    script: 'ping -c 1 -q 172.18.0.3',
    expect:
      'PING 172.18.0.3 (172.18.0.3) 56(84) bytes of data.\n\n--- 172.18.0.3 ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time Nms\nrtt min/avg/max/mdev = N ms\n',
  },
  {
    name: 'ping of a ClusterIP: iptables translates connections alone',
    script: 'ping -c 1 -W 0.2 10.96.0.20',
    exit: 1,
    expect:
      'PING 10.96.0.20 (10.96.0.20) 56(84) bytes of data.\n\n--- 10.96.0.20 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time Nms\n\n',
  },
  {
    name: 'ping that may not go on',
    script: 'ping -c 1 -t 1 10.244.2.2',
    exit: 1,
    expect:
      'PING 10.244.2.2 (10.244.2.2) 56(84) bytes of data.\nFrom 10.244.1.1 icmp_seq=1 Time to live exceeded\n\n--- 10.244.2.2 ping statistics ---\n1 packets transmitted, 0 received, +1 errors, 100% packet loss, time Nms\n\n',
  },
  {
    name: 'the way to a Pod of another node',
    script: 'traceroute -n -q 1 10.244.2.2',
    expect:
      'traceroute to 10.244.2.2 (10.244.2.2), 30 hops max, 60 byte packets\n 1  10.244.1.1  N ms\n 2  172.18.0.3  N ms\n 3  10.244.2.2  N ms\n',
  },
  {
    name: 'the same with BusyBox',
    image: 'busybox',
    script: 'traceroute -n 10.244.2.2',
    expect:
      'traceroute to 10.244.2.2 (10.244.2.2), 30 hops max, 46 byte packets\n 1  10.244.1.1  N ms  N ms  N ms\n 2  172.18.0.3  N ms  N ms  N ms\n 3  10.244.2.2  N ms  N ms  N ms\n',
  },
  {
    name: 'the way to a neighbour',
    script: 'traceroute -n -I -q 1 10.244.1.3',
    expect: 'traceroute to 10.244.1.3 (10.244.1.3), 30 hops max, 60 byte packets\n 1  10.244.1.3  N ms\n',
  },
  {
    name: 'the way of a connection to a ClusterIP',
    script: 'traceroute -n -T -p 80 -q 1 10.96.0.20',
    expect:
      'traceroute to 10.96.0.20 (10.96.0.20), 30 hops max, 60 byte packets\n 1  10.244.1.1  N ms\n 2  172.18.0.3  N ms\n 3  10.96.0.20  N ms\n',
  },
  {
    name: 'the way of a packet that nobody translates',
    script: 'traceroute -n -q 1 -w 0.1 -m 3 10.96.0.20',
    expect:
      'traceroute to 10.96.0.20 (10.96.0.20), 3 hops max, 60 byte packets\n 1  10.244.1.1  N ms\n 2  172.18.0.1  N ms\n 3  *\n',
  },
  {
    name: 'from a node',
    from: 'node',
    script: 'traceroute -n -q 1 10.244.2.2; ip route; ip -br addr',
    expect:
      'traceroute to 10.244.2.2 (10.244.2.2), 30 hops max, 60 byte packets\n 1  172.18.0.3  N ms\n 2  10.244.2.2  N ms\ndefault via 172.18.0.1 dev eth0 \n10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1 \n10.244.2.0/24 via 172.18.0.3 dev eth0 \n172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2 \nlo               UNKNOWN        127.0.0.1/8 ::1/128 \neth0             UP             172.18.0.2/16 fe80::42:acff:fe12:2/64 \ncni0             UP             10.244.1.1/24 fe80::42:aff:fef4:101/64 \nveth0af40102@if2 UP             fe80::3c42:aff:fef4:102/64 \nveth0af40103@if2 UP             fe80::3c42:aff:fef4:103/64 \n',
  },
  {
    name: 'who was spoken with',
    script: 'ping -c 1 -q 10.244.2.2 > /dev/null; ping -c 1 -q 10.244.1.3 > /dev/null; ip neigh',
    expect:
      '10.244.1.1 dev eth0 lladdr 02:42:0a:f4:01:01 REACHABLE \n10.244.1.3 dev eth0 lladdr 02:42:0a:f4:01:03 REACHABLE \n',
  },
  {
    name: 'who has an address on the bridge',
    image: 'busybox',
    script: 'arping -c 1 10.244.1.3 | grep -c 02:42:0a:f4:01:03; arping -c 1 10.244.2.2 | tail -n 1',
    expect: '1\nReceived 0 response(s)\n',
  },
  {
    name: 'a port that somebody listens on, by hand',
    image: 'busybox',
    script: 'telnet 10.96.0.20 80 2>&1; telnet 10.244.2.2 81 2>&1',
    exit: 1,
    expect:
      "Connected to 10.96.0.20\n10.244.1.2 -> 10.244.2.2:8080Connection closed by foreign host\ntelnet: can't connect to remote host (10.244.2.2): Connection refused\n",
  },
];

t.test('programs that look for who is there', async t => {
  const { one, client, close } = await shop();
  for (const { name, from = 'client', image = 'netshoot', script, expect, exit = 0 } of ROWS) {
    const network: NetNamespace = from === 'client' ? client : one.network.node;
    const result = await execute(['sh', '-c', script], { network, image });
    t.equal(steady(result.stdout), expect, name);
    t.equal(result.exit, exit, `${name}: exit code`);
  }
  close();
});

t.test('a ClusterIP that modes reject everything else for says so to ping', async t => {
  for (const mode of ['ipvs', 'nftables'] as const) {
    const { client, close } = await shop(mode);
    const { stdout } = await execute(['ping', '-c', '1', '-W', '0.2', '10.96.0.20'], {
      network: client,
      image: 'netshoot',
    });
    t.match(stdout, 'From 10.244.1.1 icmp_seq=1 Destination Port Unreachable\n', mode);
    close();
  }
});

/** Looks while the client asks, and ends when nothing more comes. */
async function seen(network: NetNamespace, args: string, act: () => Promise<unknown>): Promise<string> {
  let active = false;
  const { stack } = network;
  if (stack === undefined) throw new Error('no stack');
  const watched: NetNamespace = {
    ...network,
    stack: {
      ...stack,
      capture(show) {
        const stop = stack.capture(show);
        active = true;
        return stop;
      },
    },
  };
  const looking = execute(['sh', '-c', `tcpdump -n ${args}`], { network: watched, image: 'netshoot' });
  await until('somebody looks', () => active);
  await act();
  return steady((await looking).stdout);
}

const ask =
  (network: NetNamespace, port = 80, address = '10.96.0.20') =>
  () =>
    execute(['sh', '-c', `printf hello | nc -w 1 ${address} ${port}`], { network });

t.test('packets as they pass', async t => {
  const first = await shop();
  const options = 'options [nop,nop,TS], length';
  t.equal(
    await seen(first.client, '-i eth0 -c 3 host 10.96.0.20', ask(first.client)),
    [
      'IP 10.244.1.2.P > 10.96.0.20.80: Flags [S], seq N, win 64240, options [mss 1460,sackOK,TS,nop,wscale 7], length 0',
      'IP 10.96.0.20.80 > 10.244.1.2.P: Flags [S.], seq N, ack N, win 65160, options [mss 1460,sackOK,TS,nop,wscale 7], length 0',
      `IP 10.244.1.2.P > 10.96.0.20.80: Flags [.], ack 1, win 502, ${options} 0`,
      '',
    ].join('\n'),
    'the client knows the Service alone',
  );
  first.close();
  // What a connection of before still has to say would be seen, too.
  const second = await shop();
  t.match(
    await seen(second.server, '-i eth0 -c 4', ask(second.client)),
    /^IP 10\.244\.1\.2\.P > 10\.244\.2\.2\.8080: Flags \[S\][^\n]*\nIP 10\.244\.2\.2\.8080 > 10\.244\.1\.2\.P: Flags \[S\.\]/,
    'the server knows the Pod alone',
  );
  second.close();
  const { one, client, close } = await shop();
  const node = await seen(one.network.node, '-i any -c 4 tcp', ask(client));
  t.match(
    node,
    /^cni0 {2}In {2}IP 10\.244\.1\.2\.P > 10\.96\.0\.20\.80: Flags \[S\].*\neth0 {2}Out IP 10\.244\.1\.2\.P > 10\.244\.2\.2\.8080: Flags \[S\].*\neth0 {2}In {2}IP 10\.244\.2\.2\.8080 > 10\.244\.1\.2\.P: Flags \[S\.\].*\ncni0 {2}Out IP 10\.96\.0\.20\.80 > 10\.244\.1\.2\.P: Flags \[S\.\]/,
    'the node translates in between',
  );
  t.match(
    await seen(client, '-i eth0 -c 2 port 81', ask(client, 81, '10.244.2.2')),
    /Flags \[S\].*\nIP 10\.244\.2\.2\.81 > 10\.244\.1\.2\.P: Flags \[R\.\], seq 0, ack N, win 0, length 0\n$/,
    'a closed port',
  );
  const ping = () => execute(['ping', '-c', '1', '10.244.2.2'], { network: client });
  t.match(
    await seen(client, '-i eth0 -c 2 icmp', ping),
    /^IP 10\.244\.1\.2 > 10\.244\.2\.2: ICMP echo request, id \d+, seq 0, length 64\nIP 10\.244\.2\.2 > 10\.244\.1\.2: ICMP echo reply, id \d+, seq 0, length 64\n$/,
    'ping',
  );
  t.match(
    await seen(client, '-i eth0 -c 2 icmp or udp', () =>
      execute(['traceroute', '-n', '-q', '1', '-m', '1', '10.244.2.2'], { network: client }),
    ),
    /^IP 10\.244\.1\.2\.P > 10\.244\.2\.2\.33434: UDP, length 18\nIP 10\.244\.1\.1 > 10\.244\.1\.2: ICMP time exceeded in-transit, length \d+\n$/,
    'traceroute',
  );
  close();
});

t.test('a connection that was open before is seen from then on', async t => {
  const { client, server, close } = await shop();
  server.listen(9000, stream => stream.on('data', chunk => stream.write(chunk)));
  const stream = await client.connect({ address: '10.244.2.2', port: 9000 });
  const text = await seen(client, '-i eth0 -c 2 tcp', async () => void stream.write('ping'));
  t.match(text, /^IP 10\.244\.1\.2\.P > 10\.244\.2\.2\.9000: Flags \[P\.\], seq \S+, ack .* length 4\n/);
  const { stdout } = await execute(['ss', '-tn'], { network: client, image: 'netshoot' });
  t.match(stdout, /ESTAB +0 +0 +10\.244\.1\.2:\d+ +10\.244\.2\.2:9000/);
  stream.destroy();
  close();
});

t.test('the flows of a node, and how they are forgotten', async t => {
  const { one, client, close } = await shop();
  await ask(client)();
  const onNode = (script: string) =>
    execute(['sh', '-c', script], { network: one.network.node, image: 'netshoot', privileged: true });
  const listed = await onNode('conntrack -L -p tcp -d 10.96.0.20');
  t.match(
    listed.stdout,
    /^tcp {6}6 \d+ \w+ src=10\.244\.1\.2 dst=10\.96\.0\.20 sport=\d+ dport=80 src=10\.244\.2\.2 dst=10\.244\.1\.2 sport=8080 dport=\d+ \[ASSURED\] mark=0 use=1\n$/,
  );
  t.equal(listed.stderr, 'conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n');
  const deleted = await onNode('conntrack -D -d 10.96.0.20');
  t.equal(deleted.stderr, 'conntrack v1.4.7 (conntrack-tools): 1 flow entries have been deleted.\n');
  t.equal((await onNode('conntrack -L -d 10.96.0.20')).stdout, '');
  t.match(
    (await onNode('iptables -t nat -L KUBE-SERVICES -n -v')).stdout,
    / 1 {4}60 KUBE-SVC-\w{16} {2}6 {4}-- {2}\* {6}\* {7}0\.0\.0\.0\/0 {12}10\.96\.0\.20 {11}\/\* default\/web cluster IP \*\/ tcp dpt:80\n/,
    'with what has passed',
  );
  close();
});

t.test('tables of the other modes', async t => {
  const ipvs = await shop('ipvs');
  await ask(ipvs.client)();
  const { stdout } = await execute(['sh', '-c', 'ipvsadm -Ln --stats; ipset list KUBE-CLUSTER-IP'], {
    network: ipvs.one.network.node,
    image: 'netshoot',
    privileged: true,
  });
  t.match(
    stdout,
    /^IP Virtual Server version 1\.2\.1 \(size=4096\)\nProt LocalAddress:Port {15}Conns {3}InPkts {2}OutPkts {2}InBytes OutBytes\n {2}-> RemoteAddress:Port\nTCP {2}10\.96\.0\.20:80 +1 +\d+ +\d+ +\d+ +\d+\n {2}-> 10\.244\.2\.2:8080 +1 /,
  );
  t.match(stdout, /Name: KUBE-CLUSTER-IP\nType: hash:ip,port\n[^]*Members:\n10\.96\.0\.20,tcp:80\n$/);
  ipvs.close();
  const nft = await shop('nftables');
  const listed = await execute(
    ['sh', '-c', 'nft list tables; nft list map ip kube-proxy service-ips; nft list chain ip kube-proxy services'],
    { network: nft.one.network.node, image: 'netshoot', privileged: true },
  );
  t.match(
    listed.stdout,
    /^table ip kube-proxy\ntable ip kube-proxy \{\n\tmap service-ips \{\n[^]*10\.96\.0\.20 \. tcp \. 80/,
  );
  t.match(listed.stdout, /\ttype filter hook|\tchain services \{\n/);
  nft.close();
});

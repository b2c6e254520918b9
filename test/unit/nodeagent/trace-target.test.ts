import t from 'tap';
import { explainAddress } from '../../../src/nodeagent/proxy/explain-address.js';
import { parseTarget } from '../../../src/nodeagent/kubelet-api/trace-target.js';
import type { Service } from '../../../src/machinery/types.js';

t.test('what a trace contacts', async t => {
  const rows: { url: string; expect: string }[] = [
    { url: 'http://my-app', expect: 'http my-app 80 /' },
    { url: 'my-app', expect: 'http my-app 80 /' },
    { url: 'my-app:8080/a?b=c', expect: 'http my-app 8080 /a?b=c' },
    { url: 'https://my-app', expect: 'https my-app 443 /' },
    { url: 'https://my-app:80', expect: 'https my-app 80 /' },
    { url: 'tcp://my-app:80', expect: 'tcp my-app 80 /' },
    { url: 'udp://kube-dns.kube-system:53', expect: 'udp kube-dns.kube-system 53 /' },
    { url: 'UDP://My-App:53', expect: 'udp my-app 53 /' },
    { url: 'tcp://[fd00::1]:80', expect: 'tcp fd00::1 80 /' },
    { url: 'http://user:80@my-app', expect: 'http my-app 80 /' },
    { url: 'sctp://my-app:80', expect: 'sctp my-app 80 /' },
    { url: 'sctp://my-app', expect: 'sctp:// needs a port' },
    { url: 'ftp://my-app:21', expect: '"ftp" cannot be traced: use http, https, tcp, udp or sctp' },
    { url: '://my-app', expect: '"" cannot be traced: use http, https, tcp, udp or sctp' },
    { url: 'tcp://my-app', expect: 'tcp:// needs a port' },
    { url: 'udp://my-app/53', expect: 'udp:// needs a port' },
    { url: 'http://my-app:99999', expect: 'port "99999" is not a number from 1 to 65535' },
    { url: 'http://my-app:http', expect: 'port "http" is not a number from 1 to 65535' },
    { url: 'tcp://my-app:-1', expect: 'port "-1" is not a number from 1 to 65535' },
    { url: 'tcp://my-app:0', expect: 'port "0" is not a number from 1 to 65535' },
    { url: '', expect: 'url "" cannot be understood' },
    { url: 'http://', expect: 'url "http://" cannot be understood' },
    { url: 'http://a b', expect: 'url "http://a b" cannot be understood' },
    { url: `http://${'a'.repeat(100_000)}`, expect: 'url is longer than 2048 characters' },
  ];
  for (const { url, expect } of rows) {
    let seen: string;
    try {
      const { protocol, host, port, path } = parseTarget(url);
      seen = `${protocol} ${host} ${port} ${path}`;
    } catch (error) {
      seen = (error as Error).message;
    }
    t.equal(seen, expect, url.slice(0, 60));
  }
});

t.test('a wrong port is not the address’s fault', async t => {
  const service = (name: string, spec: Service['spec'], labels: Record<string, string> = {}): Service => ({
    metadata: { namespace: 'shop', name, labels },
    ...(spec === undefined ? {} : { spec }),
  });
  const services = [
    service('web', {
      clusterIP: '10.96.0.20',
      externalIPs: ['192.0.2.9'],
      ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }],
    }),
    service(
      'mesh',
      { clusterIP: '10.96.0.21', ports: [{ port: 80 }] },
      { 'service.kubernetes.io/service-proxy-name': 'other' },
    ),
    service('db', { clusterIP: 'None', ports: [{ port: 80 }] }),
  ];
  const rows = [
    {
      to: '10.96.0.20:81',
      proto: 'tcp',
      expect: '10.96.0.20 is Service shop/web, which has no port 81/TCP, only 80/TCP, 53/UDP',
    },
    {
      to: '192.0.2.9:53',
      proto: 'tcp',
      expect: '192.0.2.9 is Service shop/web, which has no port 53/TCP, only 80/TCP, 53/UDP',
    },
    {
      to: '10.96.0.20:53',
      proto: 'udp',
      expect: '10.96.0.20 is Service shop/web, but no rule of this node takes port 53/UDP',
    },
    {
      to: '10.96.0.21:80',
      proto: 'tcp',
      expect: '10.96.0.21 is Service shop/mesh, which is left to the proxy named "other"',
    },
    { to: '10.96.0.99:80', proto: 'tcp', expect: undefined },
  ] as const;
  for (const { to, proto, expect } of rows) {
    const [dst = '', port] = to.split(':');
    t.equal(explainAddress(services, { proto, src: '10.244.1.2', srcPort: 1, dst, dstPort: Number(port) }), expect, to);
  }
});

import t from 'tap';
import { parseWhat } from '../../../src/cmd/why-target.js';
import { verdictText } from '../../../src/cmd/why-text.js';

t.test('what somebody asks about', async t => {
  const rows: { name: string; input: string; expect: object | RegExp }[] = [
    { name: 'a Service', input: 'svc/web', expect: { kind: 'service', name: 'web' } },
    { name: 'its port', input: 'service/web:81', expect: { kind: 'service', name: 'web', port: 81 } },
    { name: 'of a namespace', input: 'svc/shop/web', expect: { kind: 'service', namespace: 'shop', name: 'web' } },
    { name: 'a Pod', input: 'po/web-1', expect: { kind: 'pod', name: 'web-1' } },
    { name: 'a Deployment', input: 'deployments/web', expect: { kind: 'deployment', name: 'web' } },
    { name: 'a node', input: 'node/node-1', expect: { kind: 'node', name: 'node-1' } },
    {
      name: 'a URL',
      input: 'https://web.shop/a?b',
      expect: { kind: 'url', protocol: 'https', host: 'web.shop', port: 443, path: '/a?b' },
    },
    { name: 'its scheme', input: 'udp://dns:53', expect: { kind: 'url', protocol: 'udp', host: 'dns', port: 53 } },
    { name: 'a bare name', input: 'web:8080', expect: { kind: 'url', protocol: 'http', host: 'web', port: 8080 } },
    { name: 'a name and a path', input: 'web.shop/a', expect: { kind: 'url', host: 'web.shop', path: '/a' } },
    { name: 'an unknown kind', input: 'sts/db', expect: /"sts\/db" is of no kind that is known here: want svc\/NAME/ },
    { name: 'a method of objects', input: 'constructor/db', expect: /is of no kind/ },
    { name: 'no name', input: 'svc/', expect: /"svc\/" cannot be understood/ },
    { name: 'too many parts', input: 'svc/a/b/c', expect: /cannot be understood/ },
    { name: 'a port of a Pod', input: 'pod/a:80', expect: /cannot be understood/ },
    { name: 'no number for a port', input: 'svc/web:http', expect: /cannot be understood/ },
    { name: 'a bad port', input: 'http://web:abc', expect: /port "abc" is not a number/ },
    { name: 'another scheme', input: 'ftp://web', expect: /"ftp" cannot be traced/ },
  ];
  for (const { name, input, expect } of rows)
    if (expect instanceof RegExp) t.throws(() => parseWhat(input), { message: expect }, name);
    else t.match(parseWhat(input), expect, name);
});

t.test('an answer is a few lines, and commands no terminal', async t => {
  const verdict = {
    works: false,
    code: 'NothingListens',
    message: 'a\nb\x1b[2J',
    details: ['more'],
    objects: [],
    fix: 'mend',
    show: 'kubectl get x',
  } as const;
  t.equal(verdictText(verdict), 'a b\\x1b[2J\n  more\n  to mend it: mend\n  to see it: kubectl get x\n');
});

import t from 'tap';
import { httpCall } from '../../../../src/containers/network/http-client.js';
import { readBody } from '../../../../src/containers/images/agnhost/http.js';
import { startImage, runImage, type ImageFixture, type RunningImage } from '../../../support/running-image.js';
import { answered } from '../../../support/until.js';

t.setTimeout(180_000);

interface Row {
  /** "GET /path", or the path alone. */
  readonly ask: string;
  readonly body?: string;
  /** Default: 200. */
  readonly status?: number;
  readonly expect?: string | RegExp;
}

interface Case extends ImageFixture {
  readonly image: string;
  readonly port: number;
  readonly rows: readonly Row[];
}

const CASES: readonly Case[] = [
  {
    image: 'traefik/whoami',
    port: 80,
    rows: [
      {
        ask: '/x?y=1',
        expect: /^Hostname: p\nIP: 127\.0\.0\.1\nIP: 10\.244\.1\.5\nRemoteAddr: .*\nGET \/x\?y=1 HTTP\/1\.1\nHost: x\n/,
      },
      { ask: '/api', expect: /"hostname":"p"/ },
      { ask: '/health' },
    ],
  },
  {
    image: 'traefik/whoami',
    args: ['--port=8080', '--name', 'me'],
    port: 8080,
    rows: [{ ask: '/', expect: /^Name: me\n/ }],
  },
  { image: 'jwilder/whoami', port: 8000, rows: [{ ask: '/', expect: "I'm p\n" }] },
  {
    image: 'hashicorp/http-echo',
    args: ['-text=hello', '-listen=:9000'],
    port: 9000,
    rows: [
      { ask: '/any', expect: 'hello\n' },
      { ask: '/health', expect: /ok/ },
    ],
  },
  {
    image: 'hashicorp/http-echo',
    args: ['-text', 'two words'],
    port: 5678,
    rows: [{ ask: '/', expect: 'two words\n' }],
  },
  {
    image: 'google-samples/hello-app',
    port: 8080,
    rows: [{ ask: '/', expect: /^Hello, world!\nVersion: 1\.0\.0\nHostname: p\n$/ }],
  },
  {
    image: 'kennethreitz/httpbin',
    port: 80,
    rows: [
      { ask: '/get?a=1', expect: /"args":\{"a":"1"\}/ },
      { ask: 'POST /post', body: '{"a":1}', expect: /"json":\{"a":1\}/ },
      { ask: 'POST /get', status: 405 },
      { ask: '/status/418', status: 418 },
      { ask: '/status/101', status: 400 },
      { ask: '/headers', expect: /"host":"x"/ },
      { ask: '/uuid', expect: /"uuid":"[0-9a-f]{8}-/ },
      { ask: '/redirect-to?url=/get', status: 302 },
      { ask: '/nothing', status: 404 },
      { ask: `/${'/a'.repeat(20_000)}`, status: 400 },
      { ask: `/${'/a'.repeat(5_000)}`, status: 404 },
      { ask: '/%zz', status: 404 },
    ],
  },
  { image: 'stefanprodan/podinfo', port: 9898, rows: [{ ask: '/healthz' }, { ask: '/status/503', status: 503 }] },
  { image: 'ealen/echo-server', port: 80, rows: [{ ask: '/x', expect: /^Pod: p\n/ }] },
  {
    image: 'prom/prometheus',
    port: 9090,
    rows: [
      { ask: '/-/healthy', expect: 'Prometheus Server is Healthy.\n' },
      { ask: '/-/ready', expect: /Ready/ },
      { ask: '/api/v1/query?query=up', expect: /"status":"success"/ },
      { ask: '/metrics', expect: /^# TYPE up gauge\nup 1\n/ },
      { ask: '/', status: 302 },
    ],
  },
  { image: 'grafana/grafana', port: 3000, rows: [{ ask: '/api/health', expect: /"database":"ok"/ }] },
  {
    image: 'library/registry',
    port: 5000,
    rows: [
      { ask: '/v2/', expect: '{}\n' },
      { ask: '/v2/x/manifests/y', status: 404 },
    ],
  },
  {
    image: 'hashicorp/vault',
    port: 8200,
    rows: [
      { ask: '/v1/sys/health', expect: /"sealed":false/ },
      { ask: 'POST /v1/secret/x', body: '{}', status: 501 },
    ],
  },
  { image: 'hashicorp/consul', port: 8500, rows: [{ ask: '/v1/status/leader', expect: /10\.244\.1\.5:8300/ }] },
  {
    image: 'minio/minio',
    args: ['server', '/data', '--console-address', ':9001'],
    port: 9000,
    rows: [{ ask: '/minio/health/live' }, { ask: 'PUT /bucket', body: '', status: 501, expect: /NotImplemented/ }],
  },
  {
    image: 'elasticsearch/elasticsearch',
    port: 9200,
    rows: [
      { ask: '/', expect: /"number":"8\./ },
      { ask: '/_cluster/health?local=true', expect: /"status":"green"/ },
      { ask: 'PUT /index', body: '{}', status: 501, expect: /not simulated/ },
    ],
  },
  {
    image: 'library/nginx',
    port: 80,
    rows: [
      { ask: '/', expect: /Welcome to nginx/ },
      { ask: '/none', status: 404 },
    ],
  },
  { image: 'nginxinc/nginx-unprivileged', port: 8080, rows: [{ ask: '/', expect: /Welcome to nginx/ }] },
  { image: 'bitnami/nginx', port: 8080, rows: [{ ask: '/', expect: /Welcome to nginx/ }] },
  { image: 'caddy', port: 80, rows: [{ ask: '/', expect: /working/ }] },
  {
    image: 'library/python',
    command: ['python', '-m', 'http.server', '9000', '-d', '/srv'],
    files: { '/srv/a & b.txt': 'text\n' },
    port: 9000,
    rows: [
      { ask: '/', expect: /<li><a href="a%20&%20b\.txt">a &#38; b\.txt<\/a><\/li>/ },
      { ask: '/a%20&%20b.txt', expect: 'text\n' },
    ],
  },
];

async function ask({ context: { network } }: RunningImage, port: number, { ask, body }: Row) {
  const [method, path] = ask.startsWith('/') ? ['GET', ask] : (ask.split(' ') as [string, string]);
  const data = body === undefined ? undefined : Buffer.from(body);
  const { response, stream } = await httpCall(network, {
    to: { address: '127.0.0.1', port },
    method,
    path,
    headers: [
      ['Host', 'x'],
      ['Connection', 'close'],
      ...(data === undefined ? [] : ([['Content-Length', String(data.length)]] as const)),
    ],
    ...(data === undefined ? {} : { body: data }),
  });
  try {
    return { status: response.statusCode, body: (await readBody(response)).toString('utf8') };
  } finally {
    stream.destroy();
  }
}

for (const { image, port, rows, ...fixture } of CASES)
  t.test(`${image} ${(fixture.args ?? []).join(' ')}`, async t => {
    const running = await startImage(image, fixture);
    t.teardown(() => running.stop());
    await answered(() => ask(running, port, { ask: '/' }));
    for (const row of rows) {
      const said = await ask(running, port, row);
      t.equal(said.status, row.status ?? 200, `${row.ask.slice(0, 80)}: status`);
      if (typeof row.expect === 'string') t.equal(said.body, row.expect, row.ask);
      else if (row.expect !== undefined) t.match(said.body, row.expect, row.ask);
    }
  });

t.test('hello-world greets and ends', async t => {
  const { exit, logs } = await runImage('hello-world');
  t.equal(exit, 0);
  t.match(logs, /Hello from Docker!/);
});

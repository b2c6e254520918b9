import type { IncomingMessage } from 'node:http';
import { answerEcho } from '../echo.js';
import { serveHttp } from '../http-server.js';
import { lazy } from '../lazy.js';
import { staticServer } from '../nginx.js';
import type { Program } from '../../process.js';
import type { KnownImage } from '../types.js';
import {
  flagOf,
  html,
  json,
  metrics,
  portOf,
  servedImage,
  statusAnswer,
  text,
  type Asked,
  type Served,
} from './served.js';

/** Header lines as they came. */
const headerLines = ({ rawHeaders }: IncomingMessage): string[] =>
  Array.from({ length: rawHeaders.length / 2 }, (_, i) => `${rawHeaders[2 * i] ?? ''}: ${rawHeaders[2 * i + 1] ?? ''}`);

const clientOf = ({ socket }: IncomingMessage): string => `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;

function whoami({ process, request, method }: Asked): string {
  const { container, env } = process;
  const name = flagOf(process, 'name') ?? env['WHOAMI_NAME'];
  return [
    ...(name === undefined ? [] : [`Name: ${name}`]),
    `Hostname: ${container.hostname}`,
    'IP: 127.0.0.1',
    ...container.network.addresses.map(address => `IP: ${address}`),
    `RemoteAddr: ${clientOf(request)}`,
    `${method} ${request.url ?? '/'} HTTP/1.1`,
    ...headerLines(request),
    '',
  ].join('\n');
}

const versionOf = (image: string): string => {
  const tag = /:([\d.]+)/.exec(image.slice(image.lastIndexOf('/') + 1))?.[1] ?? '1.0';
  return tag.split('.').length === 2 ? `${tag}.0` : tag;
};

const SAMPLES: readonly Served[] = [
  {
    names: ['traefik/whoami', 'containous/whoami'],
    about: 'says who asked and who answers; /api the same in JSON, /health; --port, --name',
    program: '/whoami',
    port: 80,
    bare: true,
    listens: process => portOf(flagOf(process, 'port') ?? process.env['WHOAMI_PORT_NUMBER']),
    says: port => `Starting up on port ${port}`,
    routes: {
      '/health': () => text(''),
      '/bench': () => text('1'),
      '/api': ({ process, request, method }) =>
        json({
          hostname: process.container.hostname,
          ip: ['127.0.0.1', ...process.container.network.addresses],
          headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, [value].flat()])),
          url: request.url,
          host: request.headers.host,
          method,
          remoteAddr: clientOf(request),
        }),
      '': asked => text(whoami(asked)),
    },
  },
  {
    names: ['jwilder/whoami'],
    about: 'says its host name',
    program: 'http',
    port: 8000,
    listens: ({ env }) => portOf(env['PORT']),
    says: port => `Listening on :${port}`,
    routes: { '': ({ process }) => text(`I'm ${process.container.hostname}\n`) },
  },
  {
    names: ['http-echo'],
    about: 'answers with the text of -text or ECHO_TEXT; -listen :5678',
    program: '/http-echo',
    port: 5678,
    bare: true,
    listens: process => portOf(flagOf(process, 'listen')),
    says: port => `[INFO] server is listening on :${port}`,
    routes: {
      '/health': () => json({ status: 'ok' }),
      '': ({ process }) => text(`${flagOf(process, 'text') ?? process.env['ECHO_TEXT'] ?? 'hello-world'}\n`),
    },
  },
  {
    names: ['hello-app'],
    about: "Google's sample: greets with its version (the tag) and host name",
    program: 'hello-app',
    port: 8080,
    bare: true,
    listens: ({ env }) => portOf(env['PORT']),
    says: port => `Server listening on port ${port}`,
    routes: {
      '': ({ process: { container } }) =>
        text(`Hello, world!\nVersion: ${versionOf(container.image)}\nHostname: ${container.hostname}\n`),
    },
  },
  {
    names: ['nginxdemos/hello'],
    about: 'says address, host name, time and path',
    program: 'nginx',
    port: 80,
    routes: {
      '': ({ process: { container }, request }) =>
        text(
          `Server address: ${container.pod.ip}:${request.socket.localPort ?? 80}\nServer name: ${container.hostname}\nDate: ${new Date(container.clock.now()).toUTCString()}\nURI: ${request.url ?? '/'}\n`,
        ),
    },
  },
  {
    names: ['podinfo'],
    about: 'the sample of Flux and Flagger: /, /healthz, /readyz, /version, /env, /headers, /status/503, /metrics',
    program: './podinfo',
    port: 9898,
    listens: process => portOf(flagOf(process, 'port')),
    says: port => `{"level":"info","msg":"Starting HTTP Server.","addr":":${port}"}`,
    routes: {
      '/': ({ process: { container, env } }) =>
        json({
          hostname: container.hostname,
          version: versionOf(container.image),
          message: env['PODINFO_UI_MESSAGE'] ?? `greetings from podinfo v${versionOf(container.image)}`,
          runtime: 'simulated',
        }),
      '/healthz': () => json({ status: 'OK' }),
      '/readyz': () => json({ status: 'OK' }),
      '/version': ({ process }) => json({ version: versionOf(process.container.image), commit: 'simulated' }),
      '/env': ({ process }) => json(Object.entries(process.env).map(([name, value]) => `${name}=${value}`)),
      '/headers': ({ request }) => json(request.headers),
      '/status/': ({ path }) => statusAnswer(path),
      '/metrics': () => metrics({ up: 1 }),
    },
  },
  {
    names: ['kuard-amd64', 'kuard'],
    about: 'the sample of "Kubernetes: Up and Running": /healthy, /ready',
    program: '/kuard',
    port: 8080,
    bare: true,
    routes: { '/healthy': () => text('ok'), '/ready': () => text('ok'), '/': () => html('KUAR Demo') },
  },
];

const hello: Program = async ({ stdout }) => {
  await stdout.write(
    '\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\n',
  );
  return 0;
};

/** Servers that say what they were asked, which differ in the port only. */
const echoImage = (names: readonly string[], port: number): KnownImage => ({
  names,
  about: 'answers with what it was asked, as the image echo does',
  ports: [String(port)],
  entrypoint: ['echo-server'],
  cmd: [],
  programs: {
    'echo-server': process =>
      serveHttp(process, [portOf(process.env['PORT']) ?? port], (request, response) =>
        answerEcho(request, response, process),
      ),
  },
  userland: true,
});

export const sampleImages: readonly KnownImage[] = [
  ...SAMPLES.map(servedImage),
  {
    names: ['httpbin', 'go-httpbin'],
    about:
      'answers /get, /post, /anything, /status/418, /headers, /ip, /delay/1, /uuid, /bytes/16, /redirect-to and the like',
    ports: ['80', '8080 (go-httpbin)'],
    entrypoint: ['httpbin'],
    cmd: [],
    programs: { httpbin: lazy(async () => (await import('./httpbin.js')).httpbin) },
    userland: true,
  },
  echoImage(['echo-server', 'jmalloc/echo-server', 'kicbase/echo-server', 'echoserver'], 8080),
  echoImage(['ealen/echo-server', 'http-https-echo'], 80),
  {
    names: ['hello-world'],
    about: 'greets and ends',
    ports: [],
    entrypoint: [],
    cmd: ['/hello'],
    programs: { hello },
    userland: false,
  },
  {
    names: ['caddy'],
    about: 'serves the files of /usr/share/caddy',
    ports: ['80'],
    entrypoint: [],
    cmd: ['caddy', 'run', '--config', '/etc/caddy/Caddyfile', '--adapter', 'caddyfile'],
    workingDir: '/srv',
    programs: { caddy: staticServer('Caddy', '/usr/share/caddy', 80) },
    userland: true,
    files: { '/usr/share/caddy/index.html': '<html><body><h1>Your web server is working</h1></body></html>\n' },
  },
];

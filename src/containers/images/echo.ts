import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ContainerContext, Process, Program } from '../process.js';
import { serveHttp } from './http-server.js';
import type { KnownImage } from './types.js';

/** What of a body is shown. The rest is read and counted: an upload of any size costs no more than this. */
const MAX_BODY_BYTES = 1 << 20;

/** What the server knows of a request: who asked, and who answers. */
function describe(request: IncomingMessage, { pod, hostname }: ContainerContext) {
  const { remoteAddress = '', remotePort = 0, localPort = 0 } = request.socket;
  return {
    pod: pod.name,
    namespace: pod.namespace,
    node: pod.nodeName,
    hostname,
    podIP: pod.ip,
    port: localPort,
    client: `${remoteAddress}:${remotePort}`,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    host: request.headers.host ?? '',
  };
}

/** Answers a request with what the server sees of it and of itself. */
export function answerEcho(request: IncomingMessage, response: ServerResponse, process: Process): void {
  const { container, stdout } = process;
  const facts = describe(request, container);
  // "/status/503" answers with that status, to make a probe fail on purpose.
  const status = Number(/^\/status\/([1-5]\d\d)$/.exec(facts.path.split('?')[0] ?? '')?.[1] ?? 200);
  void stdout.write(
    `${new Date(container.clock.now()).toISOString()} ${facts.client} "${facts.method} ${facts.path}" ${status}\n`,
  );
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    if (size < MAX_BODY_BYTES) chunks.push(chunk.subarray(0, MAX_BODY_BYTES - size));
    size += chunk.length;
  });
  request.on('error', () => response.destroy());
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    const cut = size > MAX_BODY_BYTES ? { bodyBytes: size } : {};
    const wantsJson = (request.headers.accept ?? '').includes('application/json') || facts.path.includes('format=json');
    if (wantsJson) {
      const text = `${JSON.stringify({ ...facts, headers: request.headers, ...(body === '' ? {} : { body }), ...cut })}\n`;
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      response.end(request.method === 'HEAD' ? undefined : text);
      return;
    }
    const lines = [
      `Pod: ${facts.pod}`,
      `Namespace: ${facts.namespace}`,
      `Node: ${facts.node}`,
      `Address: ${facts.podIP}:${facts.port}`,
      `Client: ${facts.client}`,
      `Request: ${facts.method} ${facts.path}`,
      `Host: ${facts.host}`,
      ...(body === '' ? [] : ['', body]),
      ...(size > MAX_BODY_BYTES ? [`(${size} bytes, of which the first ${MAX_BODY_BYTES} are shown)`] : []),
    ];
    const text = `${lines.join('\n')}\n`;
    response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(text) });
    response.end(request.method === 'HEAD' ? undefined : text);
  });
}

/**
 * Serves HTTP on the declared TCP ports (or 80) and sends datagrams of UDP and messages of SCTP back on
 * the declared ports of theirs.
 */
export const echoServer: Program = async process => {
  const { ports, network } = process.container;
  const of = (protocol: string): number[] => [
    ...new Set(ports.filter(p => p.protocol === protocol).map(p => p.containerPort)),
  ];
  const udp = of('UDP');
  const sctp = of('SCTP');
  const tcp = of('TCP').length === 0 && udp.length === 0 && sctp.length === 0 ? [80] : of('TCP');
  const closers = [
    ...udp.map(port => network.listenUdp(port, payload => payload)),
    ...sctp.map(port => network.listen(port, stream => void stream.pipe(stream), { protocol: 'sctp' })),
  ];
  const listening = [...tcp.map(p => `${p}/tcp`), ...udp.map(p => `${p}/udp`), ...sctp.map(p => `${p}/sctp`)].join(
    ', ',
  );
  await process.stdout.write(`echo: serving ${listening}\n`);
  try {
    return await serveHttp(process, tcp, (request, response) => answerEcho(request, response, process));
  } finally {
    for (const close of closers) close();
  }
};

export const echo: KnownImage = {
  names: ['echo'],
  about:
    "answers HTTP on the Pod's ports with who asked and who answers; /status/503 with that status; UDP and SCTP come back",
  ports: ['80'],
  entrypoint: ['echo-server'],
  cmd: [],
  programs: { 'echo-server': echoServer },
  userland: true,
};

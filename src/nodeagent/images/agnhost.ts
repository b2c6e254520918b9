import type { IncomingMessage, ServerResponse } from 'node:http';
import { NetworkError } from '../network/errors.js';
import type { Process, Program } from '../containers/process.js';
import { serveHttp, untilStopped } from './http-server.js';
import type { Image } from './types.js';

const flag = (args: readonly string[], name: string): string | undefined => {
  const at = args.findIndex(arg => arg === `--${name}` || arg.startsWith(`--${name}=`));
  if (at < 0) return undefined;
  return args[at]?.split('=')[1] ?? args[at + 1];
};

/** The subcommands of the Kubernetes test image that its documentation leads with. */
const subcommands: Readonly<Record<string, Program>> = {
  pause: untilStopped,

  /** HTTP on --http-port (8080) and UDP on --udp-port (8081): /hostname, /clientip, /echo?msg=, /healthz, /. */
  async netexec(process) {
    const { args, container } = process;
    const http = Number(flag(args, 'http-port') ?? 8080);
    const udp = Number(flag(args, 'udp-port') ?? 8081);
    const close = container.network.listenUdp(udp, (payload, { client }) => {
      const text = payload.toString('utf8').trim();
      if (text === 'hostname') return Buffer.from(container.hostname);
      if (text === 'clientip') return Buffer.from(`${client.address}:${client.port}`);
      return Buffer.from(text.startsWith('echo ') ? text.slice(5) : '');
    });
    try {
      return await serveHttp(process, [http], (request, response) => netexec(process, request, response));
    } finally {
      close();
    }
  },

  /** Answers every request, or every connection with --tcp, with the hostname; port 9376. */
  async 'serve-hostname'(process) {
    const { args, container } = process;
    const port = Number(flag(args, 'port') ?? 9376);
    if (args.includes('--tcp')) {
      const close = container.network.listen(port, stream => stream.end(container.hostname));
      return untilStopped(process).finally(close);
    }
    return serveHttp(process, [port], (_request, response) => response.end(container.hostname));
  },

  /** connect HOST:PORT [--timeout 5s]: exits 0 when the connection stands, 1 and a word when not. */
  async connect(process) {
    const { args, container, stderr } = process;
    const [host = '', port = ''] = (args.slice(1).find(arg => !arg.startsWith('--')) ?? '').split(':');
    const seconds = parseFloat(flag(args, 'timeout') ?? '5');
    const [address] = (await container.resolver.lookup(host, { signal: process.signal })).addresses;
    if (address === undefined) return (await stderr.write('DNS: no such host\n'), 1);
    try {
      const to = { address, port: Number(port) };
      const stream = await container.network.connect(to, { signal: process.signal, timeoutMs: seconds * 1000 });
      stream.destroy();
      return 0;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      const word = { ECONNREFUSED: 'REFUSED', ETIMEDOUT: 'TIMEOUT' } as Readonly<Record<string, string>>;
      await stderr.write(`${word[error.code] ?? 'OTHER'}\n`);
      return 1;
    }
  },
};

function netexec({ container, stdout }: Process, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  void stdout.write(`GET ${url.pathname}\n`);
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  switch (url.pathname) {
    case '/hostname':
    case '/hostName':
      return void response.end(container.hostname);
    case '/clientip':
      return void response.end(`${remoteAddress}:${remotePort}`);
    case '/echo':
      response.statusCode = Number(url.searchParams.get('code') ?? 200);
      return void response.end(url.searchParams.get('msg') ?? '');
    case '/healthz':
      return void response.end();
    case '/':
      return void response.end(`NOW: ${new Date(container.clock.now()).toISOString()}`);
    default:
      response.statusCode = 404;
      return void response.end('404 page not found\n');
  }
}

const agnhostProgram: Program = async process => {
  const [, name = 'pause', ...rest] = process.args;
  const subcommand = subcommands[name];
  if (subcommand === undefined) {
    await process.stderr.write(
      `Error: unknown command "${name}" for "app": known are ${Object.keys(subcommands).join(', ')}\n`,
    );
    return 1;
  }
  return subcommand({ ...process, args: [name, ...rest] });
};

export const agnhost: Image = {
  names: ['agnhost'],
  entrypoint: ['/agnhost'],
  cmd: ['pause'],
  programs: { agnhost: agnhostProgram },
  userland: true,
};

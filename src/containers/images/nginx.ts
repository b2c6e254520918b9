import { FileError, resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { serveHttp } from './http-server.js';
import { notSimulated } from './not-simulated.js';
import type { KnownImage } from './types.js';

const WELCOME = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
`;

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  txt: 'text/plain',
  css: 'text/css',
  js: 'application/javascript',
  json: 'application/json',
  xml: 'text/xml',
  svg: 'image/svg+xml',
};

/** A static file server: `root` is read at every request, so that a mounted volume shows. `lists`: folders without index.html. */
export function staticServer(server: string, root: string, defaultPort: number, { lists = false } = {}): Program {
  return async process => {
    const { clock } = process.container;
    const log = (
      request: { url?: string | undefined; method?: string | undefined },
      client: string,
      status: number,
      size: number,
    ): void => {
      const time = new Date(clock.now()).toUTCString();
      void process.stdout.write(
        `${client} - - [${time}] "${request.method ?? ''} ${request.url ?? ''} HTTP/1.1" ${status} ${size} "-" "-" "-"\n`,
      );
    };
    return serveHttp(process, [defaultPort], (request, response) => {
      void find(process, root, request.url ?? '/', lists).then(found => {
        const { status, type, body } = found ?? { status: 404, type: 'text/html', body: Buffer.from(notFound(server)) };
        response.writeHead(status, { Server: server, 'Content-Type': type, 'Content-Length': body.length });
        response.end(request.method === 'HEAD' ? undefined : body);
        log(request, request.socket.remoteAddress ?? '', status, body.length);
      });
    });
  };
}

const notFound = (server: string): string =>
  `<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>${server}</center>\r\n</body>\r\n</html>\r\n`;

async function find(
  process: Process,
  root: string,
  url: string,
  lists: boolean,
): Promise<{ status: number; type: string; body: Buffer } | undefined> {
  const { files } = process.container;
  try {
    const inner = resolvePath('/', decodeURIComponent(url.split('?')[0] ?? '/'));
    let path = resolvePath(root, `.${inner}`);
    if (files.kind(path) === 'directory') {
      const index = resolvePath(path, 'index.html');
      if (lists && files.kind(index) === undefined)
        return { status: 200, type: 'text/html; charset=utf-8', body: listing(process, path, inner) };
      path = index;
    }
    const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    return { status: 200, type, body: await files.read(path) };
  } catch (error) {
    if (error instanceof FileError || error instanceof URIError) return undefined;
    throw error;
  }
}

/** A folder's names as links. */
function listing({ container: { files } }: Process, path: string, shown: string): Buffer {
  const escape = (text: string): string => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);
  const items = files.list(path).map(name => {
    const text = files.kind(resolvePath(path, name)) === 'directory' ? `${name}/` : name;
    return `<li><a href="${encodeURI(text)}">${escape(text)}</a></li>\n`;
  });
  const title = `Directory listing for ${escape(shown)}`;
  return Buffer.from(
    `<!DOCTYPE HTML>\n<html><head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n<hr>\n<ul>\n${items.join('')}</ul>\n<hr>\n</body></html>\n`,
  );
}

/** Versions are 0.x and 1.x, and x has two digits: 1.161, the typing error of the Deployment walkthrough, was never one. */
const isNginxTag = (tag: string): boolean => {
  const [major = '', minor = ''] = tag.split(/[.-]/, 2);
  const numeric = /^\d+$/;
  return !numeric.test(major) || !numeric.test(minor) || (Number(major) <= 1 && minor.length <= 2);
};

const VERSION = '1.29.0';

/** Serves `root` on `port`; -v, -t and -s answer and end, as they do beside a server that runs. */
const nginx = (root: string, port: number): Program => {
  const serve = staticServer(`nginx/${VERSION}`, root, port);
  return async process => {
    const [, first = '', second = ''] = process.args;
    const { stderr } = process;
    switch (first) {
      case '-v':
      case '-V':
        await stderr.write(`nginx version: nginx/${VERSION}\n`);
        return 0;
      case '-t':
        await stderr.write(
          'nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n',
        );
        return 0;
      case '-s':
        return signal(process, second);
      default:
        return serve(process);
    }
  };
};

/** What `nginx -s` sends to the master process; files are read at every request, so that nothing is to be loaded again. */
async function signal(process: Process, name: string): Promise<number> {
  const { processes } = process.container;
  const master = processes.list().find(({ args, pid }) => pid !== process.pid && args[0]?.endsWith('nginx') === true);
  if (!['stop', 'quit', 'reload', 'reopen'].includes(name)) return notSimulated(process, `-s ${name}`);
  if (master === undefined) {
    await process.stderr.write('nginx: [error] invalid PID number "" in "/run/nginx.pid"\n');
    return 1;
  }
  if (name === 'stop' || name === 'quit') master.kill(name === 'stop' ? 'TERM' : 'QUIT');
  return 0;
}

const image = (names: readonly string[], about: string, root: string, port: number): KnownImage => ({
  names,
  about,
  ports: [String(port)],
  hasTag: isNginxTag,
  entrypoint: ['nginx'],
  cmd: ['-g', 'daemon off;'],
  env: { NGINX_VERSION: VERSION },
  programs: { nginx: nginx(root, port) },
  userland: true,
  files: { [`${root}/index.html`]: WELCOME },
});

const HTML = '/usr/share/nginx/html';

export const nginxImages: readonly KnownImage[] = [
  image(['nginx'], `serves the files of ${HTML}`, HTML, 80),
  { ...image(['nginx-unprivileged'], `serves the files of ${HTML}, as user 101`, HTML, 8080), user: 101 },
  {
    ...image(['bitnami/nginx', 'bitnamilegacy/nginx'], 'serves the files of /app, as user 1001', '/app', 8080),
    user: 1001,
  },
];

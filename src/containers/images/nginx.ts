import { FileError, resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { serveHttp } from './http-server.js';
import type { Image } from './types.js';

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

/** A static file server: `root` is read at every request, so that a mounted volume shows. */
export function staticServer(server: string, root: string, defaultPort: number): Program {
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
      void find(process, root, request.url ?? '/').then(found => {
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
): Promise<{ status: number; type: string; body: Buffer } | undefined> {
  const { files } = process.container;
  try {
    const inner = resolvePath('/', decodeURIComponent(url.split('?')[0] ?? '/'));
    let path = resolvePath(root, `.${inner}`);
    if (files.kind(path) === 'directory') path = resolvePath(path, 'index.html');
    const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    return { status: 200, type, body: await files.read(path) };
  } catch (error) {
    if (error instanceof FileError || error instanceof URIError) return undefined;
    throw error;
  }
}

/** Versions are 0.x and 1.x, and x has two digits: 1.161, the typing error of the Deployment walkthrough, was never one. */
const isNginxTag = (tag: string): boolean => {
  const [major = '', minor = ''] = tag.split(/[.-]/, 2);
  const numeric = /^\d+$/;
  return !numeric.test(major) || !numeric.test(minor) || (Number(major) <= 1 && minor.length <= 2);
};

export const nginx: Image = {
  names: ['nginx', 'nginx-unprivileged'],
  hasTag: isNginxTag,
  entrypoint: ['nginx'],
  cmd: ['-g', 'daemon off;'],
  env: { NGINX_VERSION: '1.29.0' },
  programs: { nginx: staticServer('nginx/1.29.0', '/usr/share/nginx/html', 80) },
  userland: true,
  files: { '/usr/share/nginx/html/index.html': WELCOME },
};

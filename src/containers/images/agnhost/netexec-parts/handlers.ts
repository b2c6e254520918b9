import { parseDuration } from '../../../../machinery/duration.js';
import { dial } from './dial.js';
import { integer, log, type Handler } from './handler.js';
import { shell } from './shell.js';
import { upload } from './upload.js';

const hostname: Handler = (server, { url = '' }, response) => {
  log(server, `GET ${url.split('?')[0] ?? ''}`);
  response.end(server.process.container.hostname);
};

/** By path. */
export const HANDLERS: Readonly<Record<string, Handler>> = {
  '/'(server, _request, response) {
    log(server, 'GET /');
    const now = new Date(server.process.container.clock.now()).toISOString();
    response.end(`NOW: ${now.replace('T', ' ').replace('Z', '')} +0000 UTC`);
  },
  '/hostname': hostname,
  '/hostName': hostname,
  '/clientip'(server, { socket }, response) {
    log(server, 'GET /clientip');
    response.end(`${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`);
  },
  '/serverport'(server, _request, response) {
    log(server, 'GET /serverport');
    response.end(String(server.httpPort));
  },
  '/header'(server, request, response, form) {
    const key = form.get('key') ?? '';
    log(server, key === '' ? 'GET /header' : `GET /header?key=${key}`);
    if (key !== '') return void response.end([request.headers[key.toLowerCase()] ?? ''].flat()[0]);
    const all: Record<string, string[]> = {};
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
      const name = (request.rawHeaders[i] ?? '').toLowerCase().replace(/(^|-)[a-z]/g, c => c.toUpperCase());
      if (name !== 'Host') (all[name] ??= []).push(request.rawHeaders[i + 1] ?? '');
    }
    response.end(JSON.stringify(Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))));
  },
  '/echo'(server, _request, response, form) {
    const [msg, code] = [form.get('msg') ?? '', form.get('code') ?? ''];
    log(server, `GET /echo?msg=${msg}&code=${code}`);
    const status = code === '' ? 200 : integer(code);
    if (status === undefined)
      return void response.end(`argument 'code' must be an integer or empty, got ${JSON.stringify(code)}\n`);
    response.writeHead(status);
    response.end(msg);
  },
  '/healthz'(server, _request, response) {
    log(server, 'GET /healthz');
    response.writeHead(server.ready() ? 200 : 412);
    response.end();
  },
  '/readyz'(server, _request, response) {
    log(server, 'GET /readyz');
    const code = server.stopping() ? 503 : server.ready() ? 200 : 412;
    response.writeHead(code);
    response.end({ 503: 'shutting down', 200: 'ok', 412: '' }[code]);
  },
  '/redirect'(server, request, response, form) {
    const [location, code] = [form.get('location') ?? '', form.get('code') ?? ''];
    log(server, `${request.method ?? ''} /redirect?msg=${location}&code=${code}`);
    const status = code === '' ? 302 : integer(code);
    if (status === undefined)
      return void response.end(`argument 'code' must be an integer or empty, got ${JSON.stringify(code)}\n`);
    const absolute = /^(\/|[a-z]+:)/.test(location) ? location : `/${location}`;
    response.writeHead(status, { Location: absolute });
    response.end();
  },
  async '/exit'(server, _request, response, form) {
    const [wait, timeout, code] = ['wait', 'timeout', 'code'].map(name => form.get(name) ?? '');
    log(server, `GET /exit?code=${code ?? ''}&timeout=${timeout ?? ''}&wait=${wait ?? ''}`);
    for (const [name, value] of [
      ['timeout', timeout],
      ['wait', wait],
    ] as const)
      if (value !== '' && parseDuration(value ?? '') === undefined)
        return void response.end(
          `argument '${name}' must be a valid golang duration or empty, got ${JSON.stringify(value)}\n`,
        );
    const status = code === '' ? 0 : integer(code ?? '');
    if (status === undefined)
      return void response.end(`argument 'code' must be an integer [0-127] or empty, got ${JSON.stringify(code)}\n`);
    const { clock } = server.process.container;
    await clock.sleep(parseDuration(wait ?? '') ?? 0, server.process.signal);
    if ((parseDuration(timeout ?? '') ?? 0) > 0) response.end();
    server.exit(status);
  },
  '/shutdown'(server) {
    log(server, 'GET /shutdown');
    server.exit(0);
  },
  '/shell': shell,
  '/dial': dial,
  '/upload': upload,
};

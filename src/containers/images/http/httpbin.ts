import type { Program } from '../../process.js';
import { json, redirect, servingProgram, statusAnswer, text, type Answer, type Asked, type Served } from './served.js';

const MAX_DELAY_MS = 10_000;
const MAX_BYTES = 100 * 1024;

function describe({ request, query, method, path }: Asked): Record<string, unknown> {
  const { host = '' } = request.headers;
  return {
    args: Object.fromEntries(query),
    headers: request.headers,
    method,
    origin: request.socket.remoteAddress ?? '',
    url: `http://${host}${path}`,
  };
}

function withBody(asked: Asked): Answer {
  const data = asked.body.toString('utf8');
  const type = asked.request.headers['content-type'] ?? '';
  const form = type.startsWith('application/x-www-form-urlencoded')
    ? Object.fromEntries(new URLSearchParams(data))
    : {};
  return json({ ...describe(asked), data: Object.keys(form).length > 0 ? '' : data, form, json: parsed(data) });
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const only =
  (method: string, route: (asked: Asked) => Answer | Promise<Answer>) =>
  (asked: Asked): Answer | Promise<Answer> =>
    asked.method === method || (method === 'GET' && asked.method === 'HEAD')
      ? route(asked)
      : text('405 Method Not Allowed\n', 405);

const numberOf = (path: string): number => Number(/\/(\d{1,6})$/.exec(path)?.[1] ?? '0');

const ROUTES: Served['routes'] = {
  '/': () => text('httpbin, simulated\n'),
  '/get': only('GET', asked => json(describe(asked))),
  '/post': only('POST', withBody),
  '/put': only('PUT', withBody),
  '/patch': only('PATCH', withBody),
  '/delete': only('DELETE', withBody),
  '/anything': withBody,
  '/anything/': withBody,
  '/headers': ({ request }) => json({ headers: request.headers }),
  '/ip': ({ request }) => json({ origin: request.socket.remoteAddress ?? '' }),
  '/user-agent': ({ request }) => json({ 'user-agent': request.headers['user-agent'] ?? null }),
  '/hostname': ({ process }) => json({ hostname: process.container.hostname }),
  '/status/': ({ path }) => statusAnswer(path),
  '/delay/': async asked => {
    const { clock } = asked.process.container;
    await clock.sleep(Math.min(numberOf(asked.path) * 1000, MAX_DELAY_MS), asked.process.signal);
    return json(describe(asked));
  },
  '/bytes/': ({ path, process }) => ({
    type: 'application/octet-stream',
    body: Buffer.from(
      Array.from({ length: Math.min(numberOf(path), MAX_BYTES) }, () => Math.floor(process.container.random() * 256)),
    ),
  }),
  '/uuid': ({ process }) => {
    const hex = Array.from({ length: 32 }, () => Math.floor(process.container.random() * 16).toString(16)).join('');
    return json({
      uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`,
    });
  },
  '/redirect-to': ({ query }) => redirect((query.get('url') ?? '/').replace(/[\r\n]/g, '')),
  '/redirect/': ({ path }) => redirect(numberOf(path) > 1 ? `/redirect/${numberOf(path) - 1}` : '/get'),
  '/json': () => json({ slideshow: { title: 'Sample Slide Show', slides: [] } }),
  '/robots.txt': () => text('User-agent: *\nDisallow: /deny\n'),
};

/** httpbin on port 80, or 8080 where it is the one written in Go. */
export const httpbin: Program = process => {
  const port = process.container.image.includes('go-httpbin') ? 8080 : 80;
  return servingProgram({ port, routes: ROUTES })(process);
};

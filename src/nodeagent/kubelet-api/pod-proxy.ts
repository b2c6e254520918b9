import { NetworkError } from '../network/errors.js';
import { httpCall } from '../network/http-client.js';
import { HttpError, type KubeletRoute } from './types.js';

const HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
]);

/** Any method on /podProxy/{namespace}/{pod}/{port}/{path...}: an HTTP request from this node to a Pod of it. */
export const podProxy: KubeletRoute = async (context, { url, segments, message, response, signal }) => {
  const [namespace = '', name = '', portText = ''] = segments;
  const worker = context.pods.find(namespace, name);
  if (worker?.network === undefined)
    throw new HttpError(404, `pod ${JSON.stringify(name)} does not run on ${context.nodeName}`);
  const port = Number(portText);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new HttpError(400, `bad port ${JSON.stringify(portText)}`);
  const path = url.pathname.split('/').slice(5).join('/');
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const headers = Object.entries(message.headers).flatMap(([header, value]) =>
    HOP.has(header) || header === 'content-length' || value === undefined
      ? []
      : [[header, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  const { address } = worker.network;
  try {
    const answer = await httpCall(
      context.network.node,
      {
        to: { address, port },
        method: message.method ?? 'GET',
        path: `/${path}${url.search}`,
        headers: [
          ['Host', `${address}:${port}`],
          ['Connection', 'close'],
          ...headers,
          ...(body.length === 0 ? [] : [['Content-Length', String(body.length)] as const]),
        ],
        ...(body.length === 0 ? {} : { body }),
      },
      { signal },
    );
    const returned = Object.entries(answer.response.headers).filter(([header]) => !HOP.has(header));
    response.writeHead(answer.response.statusCode ?? 502, Object.fromEntries(returned));
    for await (const chunk of answer.response) response.write(chunk);
    response.end();
    answer.stream.destroy();
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new HttpError(502, `dial tcp ${address}:${port}: connect: ${error.text.toLowerCase()}`);
  }
};

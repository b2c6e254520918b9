import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../src/machinery/clock.js';
import { ensurePki } from '../../src/cluster/keys/pki.js';
import { createApiServer } from '../../src/server/create-server.js';
import { createMemoryStore } from '../../src/storage/memory/memory-store.js';
import { FuzzFault, type Row } from './growth.js';
import type { Rows } from './worker.js';

const TOKEN = 'admin-token';

/** The request line has room for 64 KiB, header lines for 16 KiB; what is larger is refused unread. */
const IN_PATH = [1_000, 10_000, 60_000] as const;
const IN_HEADER = [1_000, 10_000, 15_000, 100_000] as const;
const IN_BODY = [1_000, 10_000, 100_000, 1_000_000] as const;

type Send = (
  path: string,
  options?: { method?: string; headers?: Record<string, string>; body?: object },
) => Promise<void>;

/** As short as it may be: an escape is three characters. Lone surrogates have no UTF-8. */
const escaped = (text: string, kept: RegExp): string =>
  [...text]
    .map(char =>
      kept.test(char)
        ? char
        : /[\ud800-\udfff]/.test(char) && char.length === 1
          ? '%EF%BF%BD'
          : encodeURIComponent(char),
    )
    .join('');
const IN_QUERY = /[!$'()*,./0-9:;=?@A-Z[\\\]_a-z{}~"-]/;
const IN_SEGMENT = /[!$'()*,.0-9:;=@A-Z[\\\]_a-z{}~"/-]/;

/** Header text is latin1 without line ends. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e]/g, '~').trim();

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const PODS = '/api/v1/namespaces/default/pods';

/** Query parameters, by the path that reads them. */
const QUERIES: readonly (readonly [method: string, path: string, names: readonly string[]])[] = [
  ['GET', '/api', ['timeout', 'pretty']],
  ['GET', '/readyz', ['exclude', 'verbose']],
  ['GET', '/openapi/v3/api/v1', ['hash']],
  [
    'GET',
    PODS,
    [
      'labelSelector',
      'fieldSelector',
      'limit',
      'continue',
      'resourceVersion',
      'resourceVersionMatch',
      'timeoutSeconds',
      'watch',
      'includeObject',
      'sendInitialEvents',
      'allowWatchBookmarks',
    ],
  ],
  ['GET', `${PODS}/fuzzed`, ['resourceVersion', 'export']],
  [
    'GET',
    `${PODS}/fuzzed/log`,
    ['container', 'tailLines', 'limitBytes', 'sinceSeconds', 'sinceTime', 'stream', 'follow'],
  ],
  ['POST', `${PODS}/fuzzed/exec`, ['command', 'container', 'stdin']],
  ['POST', `${PODS}/fuzzed/portforward`, ['ports']],
  ['POST', PODS, ['fieldManager', 'fieldValidation', 'dryRun']],
  ['PATCH', `${PODS}/fuzzed`, ['fieldManager', 'force', 'dryRun']],
  [
    'DELETE',
    `${PODS}/none`,
    ['gracePeriodSeconds', 'propagationPolicy', 'orphanDependents', 'dryRun', 'uid', 'resourceVersion'],
  ],
  ['DELETE', '/api/v1/namespaces/none/pods', ['labelSelector', 'fieldSelector', 'limit', 'continue']],
];

/** What goes before and behind a text to get it further into a parser. */
const SELECTORS: readonly (readonly [name: string, before: string, behind: string])[] = [
  ['labelSelector', 'a in (', ')'],
  ['labelSelector', 'a=b,', ''],
  ['fieldSelector', 'metadata.name=', ''],
  ['fieldSelector', 'metadata.name!=a,', '\\'],
];

const HEADERS: readonly (readonly [name: string, before?: string])[] = [
  ['authorization'],
  ['authorization', 'Bearer '],
  ['authorization', 'Bearer e30.'],
  ['accept'],
  ['accept', 'application/json;'],
  ['accept', `${TABLE},`],
  ['accept', 'application/json;q='],
  ['content-type'],
  ['content-type', 'application/json;'],
  ['user-agent'],
  ['audit-id'],
  ['impersonate-user'],
  ['impersonate-user', 'system:serviceaccount:'],
  ['impersonate-group'],
  ['impersonate-uid'],
  ['impersonate-extra-a'],
  ['x-forwarded-for'],
  ['x-real-ip'],
  ['accept-encoding'],
  ['if-none-match'],
  ['cookie'],
  ['sec-websocket-protocol'],
  ['sec-websocket-protocol', 'base64url.bearer.authorization.k8s.io.'],
];

const PATHS: readonly (readonly [name: string, before: string, behind: string])[] = [
  ['a path', '/', ''],
  ['a path of slashes', '/a/', '/'],
  ['a health check', '/readyz/', ''],
  ['a group', '/apis/', '/v1/pods'],
  ['a version', '/api/', '/pods'],
  ['a namespace', '/api/v1/namespaces/', '/pods'],
  ['a name', `${PODS}/`, ''],
  ['a subresource', `${PODS}/fuzzed/`, ''],
  ['below a proxy', `${PODS}/fuzzed/proxy/`, ''],
  ['an OpenAPI document', '/openapi/v3/', ''],
  ['a watched name', '/api/v1/watch/namespaces/default/pods/', ''],
];

const withQuery = (path: string, name: string, text: string): string => `${path}?${name}=${escaped(text, IN_QUERY)}`;

function rowsOf(send: Send): Row[] {
  const rows: Row[] = [];
  for (const [method, path, names] of QUERIES)
    for (const name of names)
      rows.push({
        name: `query ${method} ${path} ${name}`,
        sizes: IN_PATH,
        prepare: text => () =>
          send(withQuery(path, name, text), { method, ...(method === 'POST' ? { body: {} } : {}) }),
      });
  for (const [name, before, behind] of SELECTORS)
    rows.push({
      name: `query selector ${name} ${before}`,
      sizes: IN_PATH,
      prepare: text => () => send(withQuery(PODS, name, `${before}${text}${behind}`)),
    });
  rows.push({ name: 'query names', sizes: IN_PATH, prepare: text => () => send(`/api?${escaped(text, IN_QUERY)}`) });
  for (const [name, before = ''] of HEADERS) {
    const upgrade = { connection: 'upgrade', upgrade: 'websocket' };
    rows.push({
      name: `header ${name} ${before}`.trim(),
      sizes: IN_HEADER,
      prepare: text => () =>
        send(name.startsWith('impersonate') || name === 'content-type' ? PODS : '/api', {
          ...(name === 'content-type' ? { method: 'POST', body: {} } : {}),
          headers: {
            ...(name.startsWith('impersonate') && name !== 'impersonate-user' ? { 'impersonate-user': 'u' } : {}),
            ...(name.startsWith('sec-') ? upgrade : {}),
            [name]: before + headerText(text),
          },
        }),
    });
  }
  rows.push({
    name: 'header of a name',
    sizes: IN_HEADER,
    prepare: text => () => send('/api', { headers: { [text.replace(/[^a-z0-9-]/g, 'a')]: 'v' } }),
  });
  for (const [name, before, behind] of PATHS)
    rows.push({
      name: `path of ${name}`,
      sizes: IN_PATH,
      prepare: text => () => send(before + escaped(text, IN_SEGMENT) + behind),
    });
  rows.push({
    name: 'body of a TokenReview',
    sizes: IN_BODY,
    prepare: token => () =>
      send('/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body: { spec: { token } } }),
  });
  rows.push({
    name: 'body of a SubjectAccessReview',
    sizes: IN_BODY,
    prepare: text => () =>
      send('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        method: 'POST',
        body: { spec: { user: text, nonResourceAttributes: { path: `/${text}`, verb: 'get' } } },
      }),
  });
  return rows;
}

/** Request lines, headers and the bodies of reviews, sent to an API server over its own connections. */
export async function rows(): Promise<Rows> {
  const dir = mkdtempSync(join(tmpdir(), 'kubette-fuzz-'));
  const pki = await ensurePki(dir, { clock: realClock });
  const tokens = new Map([[TOKEN, { name: 'admin', groups: ['system:masters'] }]]);
  const server = await createApiServer({ store: createMemoryStore(), pki, tokens });
  const { port } = await server.listen();
  const agent = new Agent({ keepAlive: true });
  const send: Send = (path, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const options: RequestOptions = {
        host: '127.0.0.1',
        port,
        agent,
        method,
        path,
        ca: pki.ca.cert,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          ...headers,
        },
      };
      const outgoing = httpsRequest(options, answer => {
        // A watch that was understood goes on.
        if (answer.statusCode === 200 && answer.headers['transfer-encoding'] === 'chunked') {
          resolve();
          return void outgoing.destroy();
        }
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        answer.on('end', () => {
          const said = Buffer.concat(chunks).toString();
          // A Status is an answer that somebody wrote: upstream has a few of 500. What only says that something broke is not.
          if (
            (answer.statusCode ?? 0) >= 500 &&
            !said.includes('"kind": "Status"') &&
            !said.includes('"kind":"Status"')
          )
            reject(new FuzzFault(`${answer.statusCode}: ${said.slice(0, 200)}`));
          else if (
            /Maximum call stack|Invalid string length|is not a function|Cannot read prop/.test(said.slice(0, 10_000))
          )
            reject(new FuzzFault(said.slice(0, 200)));
          else resolve();
        });
      });
      outgoing.on('error', reject).end(text);
    });
  await send('/api/v1/namespaces/default/serviceaccounts', { method: 'POST', body: { metadata: { name: 'default' } } });
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  await send(PODS, { method: 'POST', body: { metadata: { name: 'fuzzed', labels: { a: 'b' } }, spec } });
  return {
    rows: rowsOf(send),
    close: async () => {
      agent.destroy();
      await server.close();
      rmSync(dir, { recursive: true });
    },
  };
}

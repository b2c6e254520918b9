import { atOnce } from '../../src/machinery/steps.js';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { realClock } from '../../src/machinery/clock.js';
import { whenAborted } from '../../src/machinery/waiter.js';
import { createTurns } from '../../src/machinery/turns.js';
import { issueCertificate } from '../../src/machinery/x509/certificate.js';
import { alreadyExistsError, notFoundError, unauthorizedError } from '../../src/machinery/status.js';
import type { KubeObject, ObjectKey } from '../../src/machinery/types.js';
import type { CatalogEntry } from '../../src/api/catalog.js';
import { createCodec } from '../../src/api/codec/create-codec.js';
import { createProtobufAnswers } from '../../src/api/codec/protobuf.js';
import { createCatalog, type MutableCatalog } from '../../src/api/create-catalog.js';
import { apiVersionOf } from '../../src/api/resource-info.js';
import type { Objects, Strategy } from '../../src/api/strategy.js';
import { createDialer } from '../../src/server/dial/create-dialer.js';
import { createKubeletConnection, type KubeletCredentials } from '../../src/server/dial/kubelet-connection.js';
import { createDocuments } from '../../src/server/endpoints/documents.js';
import { createMetrics } from '../../src/server/endpoints/metrics.js';
import { createHttpServer } from '../../src/server/http-server.js';
import { createFlowControl, type FlowControl } from '../../src/server/flow-control/flow-control.js';
import { MANDATORY_FLOW_CONTROL } from '../../src/server/bootstrap/flow-control.js';
import { createTimeouts } from '../../src/machinery/timeouts.js';
import { Slabs } from '../../src/server/responses/slabs.js';
import { STEPS } from '../../src/server/pipeline/steps.js';
import { createUnderWay } from '../../src/server/pipeline/under-way.js';
import { createInFlight, type InFlight } from '../../src/server/pipeline/in-flight.js';
import type { Auditor } from '../../src/server/audit/auditor.js';
import type { Authorizer } from '../../src/server/auth/authorizer.js';
import { createBacklog, type BacklogLimits } from '../../src/server/watch-stream/backlog.js';
import { createRounds } from '../../src/server/watch-stream/rounds.js';
import type { ApiContext } from '../../src/server/pipeline/context.js';
import type { Registry, RegistryWatchEvent, StoredObject, WatchListener } from '../../src/server/registry/types.js';

const stored = (info: CatalogEntry['info'], key: ObjectKey, object: KubeObject, revision: number): StoredObject => {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  const item = { ...rest, metadata: { ...rest.metadata, resourceVersion: String(revision) } };
  const typed = { kind: info.kind, apiVersion: apiVersionOf(info) };
  const full = { ...typed, ...item };
  const bytes = Buffer.from(JSON.stringify(full));
  return {
    key,
    revision,
    object: full,
    encode: () => bytes,
    itemStart: () => JSON.stringify(typed).length,
    metadataText: () => undefined,
  };
};

/** Objects in a Map: enough behind the HTTP face to see what it sends and asks for. */
export class FakeRegistry {
  readonly objects = new Map<string, StoredObject>();
  readonly listeners = new Set<WatchListener>();
  readonly calls: { verb: string; args: unknown[] }[] = [];
  private revision = 1;

  constructor(readonly entry: CatalogEntry) {}

  put(namespace: string, object: KubeObject, type: 'ADDED' | 'MODIFIED' = 'ADDED'): StoredObject {
    const key = { namespace, name: object.metadata.name ?? '' };
    const fresh = stored(this.entry.info, key, object, ++this.revision);
    this.objects.set(`${namespace}/${key.name}`, fresh);
    this.send([{ type, object: fresh }]);
    return fresh;
  }
  send(events: RegistryWatchEvent[]): void {
    for (const listener of this.listeners) listener.events(events);
  }
  find(key: ObjectKey): StoredObject {
    const found = this.objects.get(`${key.namespace}/${key.name}`);
    if (found === undefined)
      throw notFoundError({ group: this.entry.info.group, resource: this.entry.info.plural }, key.name);
    return found;
  }
  registry(): Registry {
    const note = (verb: string, ...args: unknown[]): void => void this.calls.push({ verb, args });
    const list = (namespace: string): StoredObject[] =>
      [...this.objects.values()].filter(o => namespace === '' || o.key.namespace === namespace);
    return {
      info: this.entry.info,
      get: async (_ctx, key, query) => (note('get', key, query), this.find(key)),
      list: async (_ctx, namespace, query) => {
        note('list', namespace, query);
        return { resourceVersion: String(this.revision), items: list(namespace) };
      },
      watch: async (ctx, namespace, query, listener) => {
        note('watch', namespace, query);
        this.listeners.add(listener);
        const stop = (): void => {
          forget();
          this.listeners.delete(listener);
        };
        const forget = whenAborted(ctx, () => {
          stop();
          listener.end();
        });
        return { stop };
      },
      create: async (ctx, namespace, object) => {
        note('create', namespace, object, ctx.options);
        const name = object.metadata.name ?? '';
        if (this.objects.has(`${namespace}/${name}`))
          throw alreadyExistsError({ group: this.entry.info.group, resource: this.entry.info.plural }, name);
        return { object: this.put(namespace, object), created: true };
      },
      getSubresource: async (_ctx, key, subresource) => (note('getSubresource', key, subresource), this.find(key)),
      createSubresource: async (_ctx, key, subresource, body) => {
        note('createSubresource', key, subresource, body);
        return { object: body ?? { metadata: {} }, code: 201 };
      },
      connect: async (ctx, key, subresource, { query }) => {
        const behaviour = this.entry.strategy.subresources?.[subresource];
        if (behaviour?.kind !== 'connect') throw new Error(`${subresource} is no connection`);
        return behaviour.target(ctx, key, query);
      },
      update: async (ctx, key, object, subresource) => {
        note('update', key, object, subresource, ctx.options);
        return { object: this.put(key.namespace, object, 'MODIFIED'), created: false };
      },
      patch: async (ctx, key, patch, subresource) => {
        const found = this.find(key);
        note(
          'patch',
          key,
          { type: patch.type, patch: atOnce(patch.decode()).patch, force: patch.force },
          subresource,
          ctx.options,
        );
        return { object: found, created: false };
      },
      delete: async (_ctx, key, options) => {
        note('delete', key, options);
        const object = this.find(key);
        return { kind: 'object', object, deleted: options.gracePeriodSeconds !== 30 };
      },
      deleteCollection: async (_ctx, namespace, options, query) => {
        note('deletecollection', namespace, options, query);
        return { resourceVersion: String(this.revision), items: list(namespace) };
      },
    };
  }
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed when it is JSON. */
  readonly body: unknown;
}

export interface FakeApi {
  readonly port: number;
  readonly context: ApiContext;
  registry(plural: string): FakeRegistry;
  readonly logged: { message: string; fields: object }[];
  request(
    method: string,
    path: string,
    options?: { headers?: Record<string, string | string[]>; body?: string | Buffer },
  ): Promise<Answered>;
  /** A bare TLS connection. */
  socket(): Promise<TLSSocket>;
  /** Connections that the server has open. */
  connections(): Promise<number>;
  stop(): void;
  close(): Promise<void>;
}

/** The HTTP face of the API server over fake registries. User "nobody" (header x-user) may do nothing. */
export async function startFakeApi(
  options: {
    strategies?: Record<string, Strategy>;
    objects?: Partial<Objects>;
    inFlight?: InFlight;
    /** Default: 600 seats; undefined: none. */
    flowControl?: FlowControl | undefined;
    backlog?: BacklogLimits;
    audit?: Auditor;
    kubelet?: KubeletCredentials;
    authorizer?: Authorizer;
    /** Default: the built-in kinds. */
    catalog?: MutableCatalog;
    /** Default: a FakeRegistry each. */
    registryOf?: ApiContext['registryOf'];
  } = {},
): Promise<FakeApi> {
  const catalog = options.catalog ?? createCatalog(options.strategies ?? {});
  const fakes = new Map<string, FakeRegistry>();
  const logged: { message: string; fields: object }[] = [];
  const stopping = new AbortController();
  const flowControl =
    'flowControl' in options
      ? options.flowControl
      : createFlowControl({
          clock: realClock,
          serverLimit: 600,
          mandatory: MANDATORY_FLOW_CONTROL,
          stored: () => undefined,
          onQuiet: () => undefined,
        });
  const metrics = createMetrics(realClock, () => [], flowControl?.metrics.families);
  const fakeOf = (entry: CatalogEntry): FakeRegistry => {
    let fake = fakes.get(entry.info.plural);
    if (fake === undefined) fakes.set(entry.info.plural, (fake = new FakeRegistry(entry)));
    return fake;
  };
  const log = (fields: object, message: string): void => void logged.push({ message, fields });
  const objects = {
    get: () => undefined,
    list: () => [],
    info: () => undefined,
    ...options.objects,
  } as unknown as Objects;
  const now = Date.now();
  const tls = issueCertificate({
    subject: { commonName: 'test' },
    notBefore: now - 1000,
    notAfter: now + 3_600_000,
    usage: 'ca',
  });
  const context: ApiContext = {
    steps: STEPS,
    clock: realClock,
    log: { info: log, warn: log, error: log },
    catalog,
    codec: createCodec(catalog.api),
    objects,
    protobuf: createProtobufAnswers(catalog.api),
    metrics,
    rounds: createRounds(realClock),
    backlog: createBacklog(realClock, options.backlog),
    turns: createTurns(realClock),
    timeouts: createTimeouts(realClock),
    flowControl,
    inFlight: options.inFlight ?? createInFlight({ reading: 400, writing: 200 }),
    audit: options.audit,
    dialer: createDialer({
      objects,
      kubelet: createKubeletConnection(objects, options.kubelet ?? { ca: tls.cert, cert: tls.cert, key: tls.key }),
      clock: realClock,
      random: () => 0,
      machine: [],
      own: () => ({ address: '127.0.0.1', port: undefined }),
    }),
    underWay: createUnderWay(realClock),
    slabs: new Slabs(),
    stopping: stopping.signal,
    documents: createDocuments({
      clock: realClock,
      catalog,
      serverAddress: () => '127.0.0.1:6443',
      checks: [
        { name: 'ping', endpoints: ['healthz', 'livez', 'readyz'], check: () => undefined },
        { name: 'log', endpoints: ['healthz', 'livez', 'readyz'], check: () => undefined },
      ],
      metrics,
      flows: flowControl?.configuration,
      openApi: {
        paths: () => ['api/v1'],
        v3: async path => (path === 'api/v1' ? Buffer.from('{"openapi":"3.0.0"}') : undefined),
        hash: async () => 'ABC',
        v2: async () => Buffer.from('{"swagger":"2.0"}'),
        v2Protobuf: async () => Buffer.alloc(0),
        hashOf: async () => 'ABC',
      },
      openId: () => ({ configuration: '{"issuer":"https://x"}', keys: '{"keys":[]}' }),
    }),
    registryOf: options.registryOf ?? (entry => fakeOf(entry).registry()),
    acceptWebSocket: request => server.acceptWebSocket(request),
    authentication: {
      authenticate: ({ raw: { headers } }) => {
        if (headers.authorization === 'Bearer bad') throw unauthorizedError();
        return { name: String(headers['x-user'] ?? 'admin'), groups: ['system:masters'] };
      },
    },
    authorizer: options.authorizer ?? {
      authorize: ({ user }) => ({ decision: user.name === 'nobody' ? 'noOpinion' : 'allow', reason: '' }),
      rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false, errors: [] }),
    },
  };
  const server = await createHttpServer({ clock: realClock, tls: { ...tls, ca: tls.cert } }, () => context);
  await server.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.app.server.address() as AddressInfo;
  return {
    port,
    context,
    logged,
    registry(plural) {
      const entry = catalog.entries().find(e => e.info.plural === plural);
      if (entry === undefined) throw new Error(`no ${plural}`);
      return fakeOf(entry);
    },
    request: (method, path, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const outgoing = httpsRequest(
          {
            host: '127.0.0.1',
            port,
            method,
            path,
            headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
            rejectUnauthorized: false,
            agent: false,
          },
          answer => {
            const chunks: Buffer[] = [];
            answer.on('data', (c: Buffer) => chunks.push(c));
            answer.on('error', reject);
            answer.on('end', () => {
              const text = Buffer.concat(chunks).toString();
              let parsed: unknown;
              try {
                parsed = JSON.parse(text);
              } catch {
                parsed = undefined;
              }
              resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, body: parsed });
            });
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    async socket() {
      const socket = tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      return socket;
    },
    connections: () =>
      new Promise((resolve, reject) =>
        server.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    stop: () => stopping.abort(),
    async close() {
      stopping.abort();
      await server.close();
    },
  };
}

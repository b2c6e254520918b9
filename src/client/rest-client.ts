import type { JsonObject, KubeObject, ObjectKey } from '../machinery/types.js';
import type { Accountable } from '../machinery/work-ledger.js';
import type { ClientConfig } from './kubeconfig.js';
import { createTransport, type Transport } from './transport.js';
import type { Client, ListOptions, PatchOptions, ResourceClient, ResourceRef } from './types.js';

const PATCH_CONTENT_TYPE: Record<PatchOptions['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** "/api/v1/namespaces/ns/pods", "/apis/apps/v1/deployments" (namespace ''), with "/name" when given. */
export function resourcePath(ref: ResourceRef, namespace: string, name = '', subresource = ''): string {
  const base = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  const scope = ref.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const tail = [name, subresource].filter(part => part !== '').map(part => `/${encodeURIComponent(part)}`);
  return `${base}${scope}/${ref.resource}${tail.join('')}`;
}

export function queryString(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== '') params.set(key, String(value));
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

interface List<T> {
  readonly items: T[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

interface Page {
  readonly limit?: number;
  readonly continue?: string | undefined;
}

/** As many objects as kubectl asks for at a time. */
const PAGE = 500;

function resourceClient<T extends KubeObject>(transport: Transport, ref: ResourceRef): ResourceClient<T> {
  const call = async (method: string, path: string, body?: unknown, contentType?: string): Promise<unknown> =>
    JSON.parse(
      await transport.fetch({
        method,
        path,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(contentType === undefined ? {} : { contentType }),
      }),
    );
  const listOf = async ({ namespace = '', ...selectors }: ListOptions, page: Page = {}): Promise<List<T>> =>
    (await call('GET', resourcePath(ref, namespace) + queryString({ ...selectors, ...page }))) as List<T>;
  const at = (key: ObjectKey, subresource = ''): string => resourcePath(ref, key.namespace, key.name, subresource);
  return {
    ref,
    get: async key => (await call('GET', at(key))) as T,
    async list(options = {}) {
      const { items, metadata } = await listOf(options);
      return { items: items ?? [], resourceVersion: metadata.resourceVersion };
    },
    async *pages(options = {}) {
      let next: string | undefined;
      do {
        const { items, metadata } = await listOf(options, { limit: PAGE, continue: next });
        yield items ?? [];
        next = metadata.continue;
      } while (next !== undefined && next !== '');
    },
    create: async (namespace, object) => (await call('POST', resourcePath(ref, namespace), object)) as T,
    update: async (object, options) =>
      (await call(
        'PUT',
        at({ namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }, options?.subresource),
        object,
      )) as T,
    patch: async (key, patch, options) =>
      (await call(
        'PATCH',
        at(key, options.subresource) +
          queryString({ fieldManager: options.fieldManager, force: options.force === true ? true : undefined }),
        patch,
        PATCH_CONTENT_TYPE[options.type],
      )) as T,
    delete: async (key, options) => {
      await call('DELETE', at(key), { kind: 'DeleteOptions', apiVersion: 'v1', ...options });
    },
    createSubresource: async (key, subresource, body) => (await call('POST', at(key, subresource), body)) as JsonObject,
  };
}

/** A client whose transport is shared by its resources and by the informers made from it. */
export interface RestClient extends Client {
  readonly transport: Transport;
}

/**
 * @param userAgent the process's name: the server takes the field manager of plain writes from it.
 */
export function createClient(config: ClientConfig, userAgent: string, accountable?: Accountable): RestClient {
  const transport = createTransport(config, userAgent, accountable);
  return {
    transport,
    resource: <T extends KubeObject>(ref: ResourceRef) => resourceClient<T>(transport, ref),
    async request(method, path, body, options) {
      const text = await transport.fetch({
        method,
        path,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...options,
      });
      return JSON.parse(text) as unknown;
    },
    close: () => transport.close(),
  };
}

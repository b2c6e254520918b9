import type { Answer, WireClient } from './client.js';
import { getAt } from './paths.js';

/** What an administrator does before and after a scenario. */
export interface Setup {
  /** @throws when it cannot be made */
  makeNamespace(name: string): Promise<void>;
  removeNamespace(name: string, controllersDoIt: boolean): Promise<void>;
  remove(paths: readonly string[]): Promise<void>;
  /** Removes every object of a collection, whatever holds it. */
  empty(collection: string): Promise<void>;
}

const AT_ONCE = 'propagationPolicy=Background&gracePeriodSeconds=0';

export function createSetup(client: WireClient, token: string): Setup {
  const ask = (method: string, target: string, body?: object, type = 'application/json'): Promise<Answer> =>
    client.call({
      method,
      target,
      headers: {
        accept: 'application/json',
        // Who made the namespace is recorded.
        'user-agent': 'corpus-setup/1.0',
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  return {
    async makeNamespace(name) {
      const metadata = { name };
      const { status } = await ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
      if (status !== 201) throw new Error(`namespace ${name} was answered with ${status}`);
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
      await ask('POST', `/api/v1/namespaces/${name}/serviceaccounts`, account);
    },
    async removeNamespace(name, controllersDoIt) {
      const path = `/api/v1/namespaces/${name}`;
      await ask('DELETE', `${path}/serviceaccounts`);
      const { status } = await ask('DELETE', path);
      if (controllersDoIt || status === 404) return;
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: [] } };
      await ask('PUT', `${path}/finalize`, namespace);
    },
    async remove(paths) {
      for (const path of paths) await ask('DELETE', path);
    },
    async empty(collection) {
      const gone = await ask('DELETE', `${collection}?${AT_ONCE}`);
      // Not every resource can be emptied, nor listed.
      if (gone.status === 404 || gone.status === 405) return;
      const list = await ask('GET', collection);
      const items = list.content.kind === 'json' ? getAt(list.content.body, 'items') : undefined;
      for (const item of Array.isArray(items) ? (items as unknown[]) : []) {
        const path = `${collection}/${String(getAt(item, 'metadata.name'))}`;
        const held = getAt(item, 'metadata.finalizers') !== undefined;
        if (held) await ask('PATCH', path, { metadata: { finalizers: null } }, 'application/merge-patch+json');
        await ask('DELETE', `${path}?${AT_ONCE}`);
      }
    },
  };
}

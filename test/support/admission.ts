import { StatusError } from '../../src/machinery/status.js';
import type { KubeObject, ObjectKey } from '../../src/machinery/types.js';
import type { ResourceInfo } from '../../src/api/resource-info.js';
import type { RequestContext, UserInfo } from '../../src/api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from '../../src/server/admission/types.js';

/** What a plugin says of a request: '' when it lets it pass; warnings come in `warned`. */
export function verdict(
  plugin: AdmissionPlugin,
  user: UserInfo,
  stored: Readonly<Record<string, readonly KubeObject[]>>,
  request: Partial<Omit<AdmissionRequest, 'resource'>> & { readonly what: string },
): { refused: string; warned: string[] } {
  const warned: string[] = [];
  const matches = (object: KubeObject, { namespace, name }: ObjectKey): boolean =>
    object.metadata.name === name && (object.metadata.namespace ?? '') === namespace;
  const ctx = {
    user,
    warn: (text: string) => void warned.push(text),
    objects: {
      get: (resource: string, key: ObjectKey) => stored[resource]?.find(object => matches(object, key)),
      list: (resource: string) => stored[resource] ?? [],
    },
  } as unknown as RequestContext;
  const { what, ...rest } = request;
  const [plural = '', ...group] = what.split('.');
  const full: AdmissionRequest = {
    operation: 'CREATE',
    subresource: '',
    key: { namespace: 'ns', name: '' },
    ...rest,
    resource: { group: group.join('.'), plural, kind: plural } as ResourceInfo,
  };
  try {
    void plugin.admit?.(ctx, full);
    void plugin.validate?.(ctx, full);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { refused: error.message, warned };
  }
  return { refused: '', warned };
}

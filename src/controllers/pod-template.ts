import { nameIsDnsSubdomain } from '../machinery/validation/names.js';
import { isStatusError } from '../machinery/status.js';
import type { DeepReadonly, KubeObject, OwnerReference, Pod, PodTemplateSpec } from '../machinery/types.js';

/** The Pod that a template makes for its owner (controller_utils.go GetPodFromTemplate), named by the server. */
export function podFromTemplate(
  template: DeepReadonly<PodTemplateSpec> | undefined,
  owner: DeepReadonly<KubeObject>,
  reference: OwnerReference,
): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: generatePrefix(owner.metadata.name ?? ''),
      namespace: owner.metadata.namespace ?? '',
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [reference],
    },
    spec: template?.spec,
  } as unknown as Pod;
}

/** "web-", or "web" where the dash would make the prefix no name. */
function generatePrefix(name: string): string {
  const prefix = `${name}-`;
  return nameIsDnsSubdomain(prefix, true).length === 0 ? prefix : name;
}

/** Nothing can be made in a namespace that goes away, and nobody need be told. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  isStatusError(error) && error.status.details?.causes?.some(cause => cause.reason === 'NamespaceTerminating') === true;

import type * as k8s from '@kubernetes/client-node';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';

export interface CustomResourceDefinition extends KubeObject {
  spec?: Wire<k8s.V1CustomResourceDefinitionSpec>;
  status?: Wire<k8s.V1CustomResourceDefinitionStatus>;
}

const FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

const storageVersion = ({ spec }: DeepReadonly<CustomResourceDefinition>): string | undefined =>
  spec?.versions?.find(version => version.storage)?.name;

function noteStorageVersion(definition: CustomResourceDefinition): void {
  const version = storageVersion(definition);
  const status = (definition.status ??= {});
  const known = status.storedVersions ?? [];
  if (version !== undefined && !known.includes(version)) status.storedVersions = [...known, version];
}

/** What is stored of a definition. Who serves it, and says so in its conditions, is server/custom-resources. */
export const customResourceDefinitionStrategy: Strategy<CustomResourceDefinition> = {
  default(definition) {
    const { spec } = definition;
    if (spec?.names !== undefined) {
      spec.names.singular ||= (spec.names.kind ?? '').toLowerCase();
      if (spec.names.kind) spec.names.listKind ||= `${spec.names.kind}List`;
    }
    if (spec !== undefined) spec.conversion ??= { strategy: 'None' };
    if ((definition.status?.storedVersions ?? []).length === 0) noteStorageVersion(definition);
  },
  prepareForCreate(_ctx, definition) {
    definition.status = {};
    noteStorageVersion(definition);
  },
  prepareForUpdate(_ctx, definition) {
    noteStorageVersion(definition);
  },
  markDeleting(definition) {
    const { metadata } = definition;
    const finalizers = metadata.finalizers ?? [];
    if (!finalizers.includes(FINALIZER)) metadata.finalizers = [...finalizers, FINALIZER];
  },
  finalized: () => true,
};

import type * as k8s from '@kubernetes/client-node';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';

export interface CustomResourceDefinition extends KubeObject {
  spec?: Wire<k8s.V1CustomResourceDefinitionSpec>;
  status?: Wire<k8s.V1CustomResourceDefinitionStatus>;
}

export type Definition = DeepReadonly<CustomResourceDefinition>;
export type Names = Wire<k8s.V1CustomResourceDefinitionNames>;
export type Version = DeepReadonly<Wire<k8s.V1CustomResourceDefinitionVersion>>;
export type Condition = Wire<k8s.V1CustomResourceDefinitionCondition>;

export const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';

/** Keeps a definition until its objects are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export const nameOf = (definition: Definition): string => definition.metadata.name ?? '';
export const groupOf = (definition: Definition): string => definition.spec?.group ?? '';
export const versionsOf = (definition: Definition): readonly Version[] => definition.spec?.versions ?? [];
export const storageVersionOf = (definition: Definition): Version | undefined =>
  versionsOf(definition).find(version => version.storage);

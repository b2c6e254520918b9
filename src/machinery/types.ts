import type * as k8s from '@kubernetes/client-node';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: unknown };

/**
 * A model of @kubernetes/client-node as it travels on the wire: times are RFC 3339 strings there, not Dates.
 */
export type Wire<T> = T extends Date
  ? string
  : T extends (infer U)[]
    ? Wire<U>[]
    : T extends object
      ? { [K in keyof T]: Wire<T[K]> }
      : T;

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: JsonObject;
  subresource?: string;
}

/** metav1.ObjectMeta. Times are RFC 3339 with seconds, UTC, e.g. "2026-01-02T03:04:05Z". */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
  selfLink?: string;
}

/** Any API object. The kind's own fields (spec, status, data, ...) are `unknown` until a strategy narrows them. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export interface ObjectKey {
  /** Empty for cluster-scoped objects. */
  namespace: string;
  name: string;
}

export type DeepReadonly<T> = T extends (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Who has made the EndpointSlice of the DNS process, as its label says. */
export const DNS_MANAGER = 'dns.kubette.dev';

type WithMeta<T> = Omit<Wire<T>, 'metadata'> & { metadata: ObjectMeta };

export type Namespace = WithMeta<k8s.V1Namespace>;
export type Node = WithMeta<k8s.V1Node>;
export type Pod = WithMeta<k8s.V1Pod>;
export type PodSpec = Wire<k8s.V1PodSpec>;
export type PodStatus = Wire<k8s.V1PodStatus>;
export type PodTemplateSpec = Wire<k8s.V1PodTemplateSpec>;
export type Container = Wire<k8s.V1Container>;
export type ContainerStatus = Wire<k8s.V1ContainerStatus>;
export type Probe = Wire<k8s.V1Probe>;
export type Service = WithMeta<k8s.V1Service>;
export type IPAddress = WithMeta<k8s.V1IPAddress>;
export type ServiceCIDR = WithMeta<k8s.V1ServiceCIDR>;
export type ServicePort = Wire<k8s.V1ServicePort>;
export type Endpoints = WithMeta<k8s.V1Endpoints>;
export type EndpointSlice = WithMeta<k8s.V1EndpointSlice>;
export type Endpoint = Wire<k8s.V1Endpoint>;
export type ConfigMap = WithMeta<k8s.V1ConfigMap>;
export type Secret = WithMeta<k8s.V1Secret>;
export type ResourceClaim = WithMeta<k8s.ResourceV1ResourceClaim>;
export type ServiceAccount = WithMeta<k8s.V1ServiceAccount>;
export type CoreEvent = WithMeta<k8s.CoreV1Event>;
export type Lease = WithMeta<k8s.V1Lease>;
export type Deployment = WithMeta<k8s.V1Deployment>;
export type ReplicaSet = WithMeta<k8s.V1ReplicaSet>;
export type LabelSelector = Wire<k8s.V1LabelSelector>;
export type Taint = Wire<k8s.V1Taint>;
export type Toleration = Wire<k8s.V1Toleration>;
export type StatefulSet = WithMeta<k8s.V1StatefulSet>;
export type DaemonSet = WithMeta<k8s.V1DaemonSet>;
export type ControllerRevision = WithMeta<k8s.V1ControllerRevision>;
export type ReplicationController = WithMeta<k8s.V1ReplicationController>;
export type PodTemplate = WithMeta<k8s.V1PodTemplate>;
export type Job = WithMeta<k8s.V1Job>;
export type CronJob = WithMeta<k8s.V1CronJob>;
export type Ingress = WithMeta<k8s.V1Ingress>;
export type IngressClass = WithMeta<k8s.V1IngressClass>;
export type PodDisruptionBudget = WithMeta<k8s.V1PodDisruptionBudget>;
export type HorizontalPodAutoscaler = WithMeta<k8s.V2HorizontalPodAutoscaler>;
export type Role = WithMeta<k8s.V1Role>;
export type ClusterRole = WithMeta<k8s.V1ClusterRole>;
export type RoleBinding = WithMeta<k8s.V1RoleBinding>;
export type PersistentVolume = WithMeta<k8s.V1PersistentVolume>;
export type PersistentVolumeClaim = WithMeta<k8s.V1PersistentVolumeClaim>;
export type StorageClass = WithMeta<k8s.V1StorageClass>;
export type ResourceQuota = WithMeta<k8s.V1ResourceQuota>;

/// <reference lib="esnext.disposable" preserve="true" />

import type { BehaviourRule } from './behaviour-types.js';

/**
 * An API object as it is in JSON: `apiVersion`, `kind`, `metadata` and whatever its kind has. Times are RFC 3339 texts.
 */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ApiObjectMeta;
  readonly [field: string]: unknown;
}

export interface ApiObjectMeta {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly generateName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly controller?: boolean;
    readonly blockOwnerDeletion?: boolean;
  }[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly {
    readonly manager?: string;
    readonly operation?: string;
    readonly apiVersion?: string;
    readonly time?: string;
    readonly subresource?: string;
  }[];
}

/** "250ms", "30s", "5m", "1h30m" as Go writes durations, or milliseconds. */
export type Duration = string | number;

/** What a node is like; what is not said is as with every node. */
export interface NodeOptions {
  /** Default: "node-1", "node-2", … by its place. */
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly taints?:
    | readonly {
        readonly key: string;
        readonly value?: string | undefined;
        readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
      }[]
    | undefined;
  /** Label topology.kubernetes.io/zone. */
  readonly zone?: string | undefined;
  /** Label topology.kubernetes.io/region. */
  readonly region?: string | undefined;
  /**
   * Quantities by resource; default { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' }. Extended resources have a
   * domain: { 'example.com/gpu': '2' }.
   */
  readonly capacity?: Readonly<Record<string, string>> | undefined;
  /** How it implements Services. Default: that of `proxyModes` whose turn it is. */
  readonly proxyMode?: 'iptables' | 'ipvs' | 'nftables' | 'userspace' | undefined;
}

/** What `Cluster.create` is told. */
export interface ClusterOptions {
  /**
   * How many nodes run Pods: node-1, node-2, …, or what each is like. Default 1. 0: Pods stay Pending, and there is no cluster DNS.
   */
  readonly nodes?: number | readonly NodeOptions[];
  /**
   * Only the API server, as envtest has it: no controllers and no nodes, and no ServiceAccount is asked of Pods.
   * Default false.
   */
  readonly apiServerOnly?: boolean;
  /**
   * CustomResourceDefinitions: objects, files, or folders of files, which are read as `apply` reads them; what there is no
   * definition is left out. They are Established before `create` resolves.
   */
  readonly crds?: readonly (string | ApiObject)[];
  /** What is there from the beginning, as `apply` takes it. */
  readonly objects?: readonly (string | ApiObject)[];
  /**
   * What containers are told to do beside what annotations of their Pods say (docs/behaviour.md): a file, its text, or a list of
   * rules. An error of one is named by line and field.
   */
  readonly behaviour?: string | readonly BehaviourRule[];
  /** As kube-controller-manager's --controllers: '*' are all, '-name' leaves one out. Default ['*']. */
  readonly controllers?: readonly string[];
  /**
   * Whether Ingresses are served, and Gateways where Gateway API's definitions are applied: IngressClass "kubette" is there, and the first
   * Ingress of it brings the controller, Service kubette-ingress/kubette-ingress. Default false.
   */
  readonly ingress?: boolean;
  /** Everything that is left to chance is the same for the same seed: names, UIDs, endpoints, faults. Default: another each time. */
  readonly seed?: number;
  /** How the nodes implement Services, dealt to them in turn. Default ['iptables']. */
  readonly proxyModes?: readonly ('iptables' | 'ipvs' | 'nftables' | 'userspace')[];
  /** A range of each IP family that Services have, the primary one first. Default "10.96.0.0/16". */
  readonly serviceClusterIpRange?: string;
  /** How much `requests` tells: 'Metadata' who asked for what, 'Request' the bodies as well. Default 'Metadata'. */
  readonly record?: 'Metadata' | 'Request';
  /** How many requests are kept, the newest. Default 10,000. */
  readonly recordLimit?: number;
  /**
   * 'virtual': time stands when `create` resolves, and moves with `clock.advance`. Default 'real'. Timeouts of this library and of
   * faults are real in any case.
   */
  readonly clock?: 'real' | 'virtual';
  /** When a virtual clock begins: an RFC 3339 text, or milliseconds since the epoch. Default: now. */
  readonly startTime?: string | number;
  /** Gives up the start: `create` rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** How one user reaches the cluster. */
export interface Access {
  /** Text of a kubeconfig file, YAML. */
  readonly kubeconfig: string;
  /** A file with that text, readable by its owner only; written when it is first asked for, removed by `stop`. */
  readonly kubeconfigPath: string;
  /** For a child process: `{ ...process.env, ...cluster.env }`. */
  readonly env: Readonly<{ KUBECONFIG: string }>;
  readonly config: AccessConfig;
}

/** The same as a value, for clients that are given no file. PEM texts. */
export interface AccessConfig {
  /** "https://127.0.0.1:41234" */
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** How long and where `waitFor` waits. */
export interface WaitOptions {
  /** Of the object. Default "default"; of no meaning for kinds that have none. */
  readonly namespace?: string;
  /** Of real time, whatever the cluster's clock does. Default "30s". */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
}

/**
 * What `waitFor` waits for: a condition's type that is to be True ("Available"), or to have a status ("Ready=False");
 * "jsonpath={.status.phase}=Running", or without a value that there is one, as `kubectl wait` has it; "delete", that the object is gone;
 * or a function of the object, which is undefined while there is none.
 */
export type WaitCondition = string | ((object: ApiObject | undefined) => boolean | Promise<boolean>);

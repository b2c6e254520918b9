import type { Tree } from '../../../containers/file-system.js';
import type { DeepReadonly, PodSpec } from '../../../machinery/types.js';
import type { PodAddresses } from '../field-ref.js';
import type { KeptVolumes } from './kept-volumes.js';
import type { Sources } from '../sources.js';
import type { ReadonlyPod } from '../types.js';

export type Volume = DeepReadonly<NonNullable<PodSpec['volumes']>[number]>;

/** What a Pod's volumes are set up from. */
export interface VolumeInput {
  readonly pod: ReadonlyPod;
  readonly addresses: PodAddresses;
  readonly sources: Sources;
  readonly allocatable: Readonly<Record<string, string>>;
  /** The node's own root file system: hostPath. */
  readonly hostTree: Tree;
  /** Of the provisioner; absent: what is in the tree is all there is. */
  readonly keptVolumes?: KeptVolumes | undefined;
  /** Persistent volumes without a path on the node, by name. */
  readonly nodeTrees: Map<string, Tree>;
}

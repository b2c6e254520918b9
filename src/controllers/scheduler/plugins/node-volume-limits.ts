import type { Indexer } from '../../../client/types.js';
import type { KubeObject } from '../../../machinery/types.js';
import { unresolvable, unschedulable, type Plugin, type ReadonlyPod } from '../plugin.js';
import { claimsOfPod, notForPod, type VolumeLists } from './claims.js';
import { classOf } from '../../persistentvolume/match.js';

interface Driver {
  readonly name: string;
  readonly allocatable?: { readonly count?: number };
}

/** How many volumes of a CSI driver a node can have. */
export function nodeVolumeLimits({ claims, volumes, classes }: VolumeLists, csiNodes: Indexer<KubeObject>): Plugin {
  /** "driver/handle" → driver of what the Pod mounts; a claim to come counts as a volume of its class's driver. */
  const attached = (pod: ReadonlyPod, out: Map<string, string>): void => {
    for (const { key } of claimsOfPod(pod)) {
      const claim = claims.get(key);
      if (claim === undefined) continue;
      const csi = volumes.get(claim.spec?.volumeName ?? '')?.spec?.csi;
      const driver = csi?.driver ?? (claim.spec?.volumeName ? undefined : classes.get(classOf(claim))?.provisioner);
      if (driver !== undefined) out.set(`${driver}/${csi?.volumeHandle ?? key}`, driver);
    }
  };
  return {
    name: 'NodeVolumeLimits',
    events: ['csi-node/changed', 'pod/deleted', 'claim/changed', 'volume/changed', 'node/added'],
    preFilter: ({ pod }) => (claimsOfPod(pod).length === 0 ? { skip: true } : { state: {} }),
    filter(_state, { pod, namespace }, node) {
      for (const { name, key, isEphemeral } of claimsOfPod(pod)) {
        const claim = claims.get(key);
        if (claim === undefined)
          return unresolvable(`looking up PVC ${namespace}/${name}: persistentvolumeclaim "${name}" not found`);
        const foreign = isEphemeral ? notForPod(pod, claim) : undefined;
        if (foreign !== undefined) return unresolvable(foreign);
      }
      const spec = csiNodes.get(node.name)?.['spec'] as { readonly drivers?: readonly Driver[] } | undefined;
      const limits = new Map((spec?.drivers ?? []).map(({ name, allocatable }) => [name, allocatable?.count]));
      if (limits.size === 0) return undefined;
      const wanted = new Map<string, string>();
      attached(pod, wanted);
      const there = new Map<string, string>();
      for (const other of node.pods.values()) attached(other.pod, there);
      for (const [driver, limit] of limits) {
        if (limit === undefined) continue;
        const isOf = ([, name]: [string, string]): boolean => name === driver;
        const more = [...wanted].filter(entry => isOf(entry) && !there.has(entry[0])).length;
        if (more > 0 && [...there].filter(isOf).length + more > limit)
          return unschedulable('node(s) exceed max volume count');
      }
      return undefined;
    },
  };
}

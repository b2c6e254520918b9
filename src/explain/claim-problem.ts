import type { DeepReadonly, Pod } from '../machinery/types.js';
import type { Facts, PodProblem } from './types.js';

/** Why a Pod waits for a claim that it mounts; undefined: not for a claim, or nobody knows its claims. */
export function claimProblem(
  { spec, metadata }: DeepReadonly<Pod>,
  { claims, events = [] }: Partial<Pick<Facts, 'claims' | 'events'>>,
): PodProblem | undefined {
  const { namespace = 'default', name: pod = '' } = metadata;
  const wanted = (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    persistentVolumeClaim !== undefined
      ? [persistentVolumeClaim.claimName]
      : ephemeral === undefined
        ? []
        : [`${pod}-${name}`],
  );
  for (const name of claims === undefined ? [] : wanted) {
    const claim = claims?.find(({ metadata: its }) => its.namespace === namespace && its.name === name);
    if (claim === undefined)
      return {
        text: `there is no PersistentVolumeClaim ${name}`,
        fix: `make PersistentVolumeClaim ${name} in namespace ${namespace}, or name another one`,
        show: `kubectl get pvc -n ${namespace}`,
      };
    const { phase = 'Pending' } = claim.status ?? {};
    if (phase === 'Bound') continue;
    const said = events.findLast(
      ({ involvedObject, type }) =>
        involvedObject.kind === 'PersistentVolumeClaim' && involvedObject.name === name && type === 'Warning',
    )?.message;
    const { storageClassName } = claim.spec ?? {};
    // Bound when a Pod comes to a node: it is not what the Pod waits for.
    if (phase === 'Pending' && said === undefined && events.some(isWaitingForConsumer(name))) continue;
    return {
      text: `PersistentVolumeClaim ${name} is ${phase}${said === undefined ? '' : `: ${said}`}`,
      fix:
        storageClassName === undefined || storageClassName === ''
          ? `make a PersistentVolume for ${name}, or name a StorageClass that makes one`
          : `name a StorageClass that there is (${name} has ${storageClassName}), or make it`,
      show: `kubectl describe pvc/${name} -n ${namespace}`,
    };
  }
  return undefined;
}

const isWaitingForConsumer =
  (claim: string) =>
  ({ involvedObject, reason }: NonNullable<Facts['events']>[number]): boolean =>
    involvedObject.kind === 'PersistentVolumeClaim' &&
    involvedObject.name === claim &&
    reason === 'WaitForFirstConsumer';

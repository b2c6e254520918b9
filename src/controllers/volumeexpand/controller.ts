import { PERSISTENT_VOLUME_CLAIMS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import { compareQuantities, parseQuantity } from '../../machinery/quantity.js';
import type { DeepReadonly, PersistentVolumeClaim } from '../../machinery/types.js';
import type { ControllerDefinition } from '../controller.js';

type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;

const wanted = ({ spec }: ReadonlyClaim): string => spec?.resources?.requests?.['storage'] ?? '0';
const given = ({ status }: ReadonlyClaim): string | undefined => status?.capacity?.['storage'];

/** A claim that asks for more than it has. */
function wantsMore(claim: ReadonlyClaim): boolean {
  const has = given(claim);
  return (
    claim.status?.phase === 'Bound' &&
    has !== undefined &&
    compareQuantities(parseQuantity(wanted(claim)), parseQuantity(has)) > 0
  );
}

/**
 * Says of claims that want to grow whom they wait for: none of the volumes that this cluster knows can be expanded by the
 * controller itself, and whoever provisions others has a resizer beside it (pkg/controller/volume/expand).
 */
export const volumeExpandController: ControllerDefinition = {
  name: 'persistentvolume-expander-controller',
  aliases: ['persistentvolume-expander'],
  workers: 2,
  build({ informers, queue, recorder }) {
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const events = recorder('volume_expand');
    claims.addHandler({
      add: claim => {
        if (wantsMore(claim)) queue.add(keyOf(claim));
      },
      update: (old, claim) => {
        if (wantsMore(claim) && wanted(old) !== wanted(claim)) queue.add(keyOf(claim));
      },
    });
    return {
      async reconcile(key) {
        const claim = claims.indexer.get(key);
        if (claim === undefined || !wantsMore(claim)) return;
        events.event(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC');
      },
    };
  },
};

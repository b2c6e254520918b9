import type { DeepReadonly, ObjectMeta } from '../machinery/types.js';

/** What a Scale shows of the metadata of the object that is scaled. */
export const scaleMetadata = ({
  name,
  namespace,
  uid,
  resourceVersion,
  creationTimestamp,
}: DeepReadonly<ObjectMeta>): ObjectMeta => ({
  ...(name === undefined ? {} : { name }),
  ...(namespace === undefined ? {} : { namespace }),
  ...(uid === undefined ? {} : { uid }),
  ...(resourceVersion === undefined ? {} : { resourceVersion }),
  ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
});

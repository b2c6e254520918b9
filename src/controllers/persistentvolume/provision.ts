/** Set by the scheduler: where the first Pod of a claim will run. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** Set by the persistent volume controller: who is to make a volume for the claim. */
export const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';

/** A class whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

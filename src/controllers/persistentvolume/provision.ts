/** Set by the scheduler: where the first Pod of a claim will run. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** A class whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

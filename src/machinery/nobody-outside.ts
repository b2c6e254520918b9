/** The name server of the root zone that the cluster's DNS has in the place of an outside world, when no upstream server is named. */
export const NOBODY_OUTSIDE = 'ns.dns';

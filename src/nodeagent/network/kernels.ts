import type { Family } from '../../dataplane/packet.js';
import type { Kernel } from '../../dataplane/kernel/types.js';

/** A node has the stack of each IP family, if only for its loopback addresses. */
export type Kernels = Readonly<Record<Family, Kernel>>;

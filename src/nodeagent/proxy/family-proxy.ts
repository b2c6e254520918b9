import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Proxier } from '../../dataplane/proxiers/types.js';
import type { HostRules } from './host-rules/host-rules.js';

/** What programs the Services of one IP family: its bookkeeping, and the kernel that takes the rules. */
export interface FamilyProxy {
  readonly proxy: Proxier;
  readonly kernel: Kernel;
  /** A real kernel that takes them too; undefined: none. */
  readonly host?: Pick<HostRules, 'load'>;
}

import type { ContainerSecurity } from './process.js';

/** What containerd gives a container that asks for nothing. */
export const DEFAULT_CAPABILITIES: ReadonlySet<string> = new Set(
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  ),
);

/** Whether a process of the container has it (capabilities(7)): root alone does. */
export function hasCapability(security: ContainerSecurity, name: string): boolean {
  if (security.credentials.uid !== 0) return false;
  return security.privileged || (security.capabilities ?? DEFAULT_CAPABILITIES).has(name);
}

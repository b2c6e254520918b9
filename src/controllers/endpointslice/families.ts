import { type Family } from '../../machinery/ip.js';
import { legacyIpFamily } from '../../machinery/legacy-ip.js';
import type { DeepReadonly, Service } from '../../machinery/types.js';

export type { Family };

/** Those that the Service says; one that says none has that of its address, or all when it has none of its own. */
export function addressFamilies({ spec }: DeepReadonly<Service>): Family[] {
  const families = (spec?.ipFamilies ?? []).map((family): Family => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
  if (families.length > 0) return families;
  const { clusterIP = '' } = spec ?? {};
  return clusterIP === '' || clusterIP === 'None' ? ['IPv4', 'IPv6'] : [legacyIpFamily(clusterIP)];
}

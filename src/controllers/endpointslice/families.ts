import type { DeepReadonly, Service } from '../../machinery/types.js';

export type Family = 'IPv4' | 'IPv6';

export const addressFamilies = (service: DeepReadonly<Service>): Family[] => {
  const families = service.spec?.ipFamilies ?? [];
  return families.length === 0 ? ['IPv4'] : families.map(family => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
};

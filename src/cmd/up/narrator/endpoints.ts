import { SERVICE_NAME_LABEL } from '../../../machinery/service-name.js';
import type { DeepReadonly, EndpointSlice } from '../../../machinery/types.js';
import { nameOf } from './text.js';

/** "namespace/name" of the Service that a slice is of; undefined: of none. */
export function serviceOf({ metadata }: DeepReadonly<EndpointSlice>): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined
    ? undefined
    : nameOf({ ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }), name });
}

/** "2 endpoints (1 not ready)" of all slices of a Service. */
export function endpointsText(slices: Iterable<DeepReadonly<EndpointSlice>>): string {
  const ready = new Set<string>();
  const others = new Set<string>();
  for (const { endpoints = [] } of slices)
    for (const { addresses, targetRef, conditions } of endpoints ?? []) {
      // A Pod of a dual-stack Service is in two slices.
      const who = targetRef?.uid ?? addresses[0] ?? '';
      (conditions?.ready === false ? others : ready).add(who);
    }
  const count = `${ready.size === 0 ? 'no' : ready.size} endpoint${ready.size === 1 ? '' : 's'}`;
  return others.size === 0 ? count : `${count} (${others.size} not ready)`;
}

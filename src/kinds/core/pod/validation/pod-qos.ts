import type { DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { addQuantities, compareQuantities, quantitySign } from '../../../validation/quantities.js';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';
type Quantities = Readonly<Record<string, string>>;

const COMPUTE = ['cpu', 'memory'] as const;

const positive = (list: Quantities | undefined, name: string): string | undefined => {
  const value = list?.[name];
  return value !== undefined && quantitySign(value) > 0 ? value : undefined;
};

/** Source: pkg/apis/core/helper/qos ComputePodQOS. Pod-level resources, when set, speak for the whole Pod. */
export function podQos(spec: DeepReadonly<PodSpec>): QosClass {
  const own = spec.resources;
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const sources = own === undefined ? containers.map(container => container.resources) : [own];
  const requests = new Map<string, string>();
  const limits = new Map<string, string>();
  let guaranteed = true;
  const add = (sum: Map<string, string>, name: string, value: string): void => {
    const before = sum.get(name);
    sum.set(name, before === undefined ? value : addQuantities(before, value));
  };
  for (const resources of sources) {
    for (const name of COMPUTE) {
      const request = positive(resources?.requests, name);
      const limit = positive(resources?.limits, name);
      if (request !== undefined) add(requests, name, request);
      if (limit !== undefined) add(limits, name, limit);
      else guaranteed = false;
    }
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  if (!guaranteed || requests.size !== limits.size) return 'Burstable';
  for (const [name, request] of requests) {
    const limit = limits.get(name);
    if (limit === undefined || compareQuantities(limit, request) !== 0) return 'Burstable';
  }
  return 'Guaranteed';
}

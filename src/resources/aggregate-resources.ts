import type { DeepReadonly, PodSpec } from '../machinery/types.js';
import { addQuantities, compareQuantities } from './validation/quantities.js';

type Quantities = Map<string, string>;

function raise(peak: Quantities, name: string, value: string): void {
  const before = peak.get(name);
  if (before === undefined || compareQuantities(value, before) > 0) peak.set(name, value);
}

const entriesOf = (list: Readonly<Record<string, string>> | undefined): [string, string][] =>
  list === undefined ? [] : Object.entries(list);

/**
 * What all containers of a Pod have together; init containers run one by one, beside the sidecars before them, which
 * stay. Source: component-helpers resource/helpers.go AggregateContainerRequests.
 */
export function aggregateResources(spec: DeepReadonly<PodSpec>, what: 'requests' | 'limits'): Quantities {
  const sum: Quantities = new Map();
  const add = (name: string, value: string): void => {
    const before = sum.get(name);
    sum.set(name, before === undefined ? value : addQuantities(before, value));
  };
  for (const container of spec.containers ?? [])
    for (const [name, value] of entriesOf(container.resources?.[what])) add(name, value);
  const sidecars: Quantities = new Map();
  const peak: Quantities = new Map();
  for (const container of spec.initContainers ?? []) {
    const stays = container.restartPolicy === 'Always';
    for (const [name, value] of entriesOf(container.resources?.[what])) {
      const running = sidecars.get(name);
      const now = running === undefined ? value : addQuantities(running, value);
      if (stays) {
        add(name, value);
        sidecars.set(name, now);
      }
      raise(peak, name, now);
    }
  }
  for (const [name, value] of peak) raise(sum, name, value);
  return sum;
}

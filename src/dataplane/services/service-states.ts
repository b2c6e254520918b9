import type { DeepReadonly, EndpointSlice, Service } from '../../machinery/types.js';
import type { Family } from '../packet.js';
import { serviceOfSlice } from './endpoints.js';
import { type ServicePort, servicePorts } from './service-ports.js';

/** The objects of one Service, by kube-proxy's reading of them. */
export interface ServiceState {
  readonly ports: readonly ServicePort[];
  readonly slices: ReadonlyMap<string, DeepReadonly<EndpointSlice>>;
}

/** What a proxy is told of the API, for hosts that watch it. */
export interface ServiceWatch {
  onServiceUpdate(service: DeepReadonly<Service>): void;
  onServiceDelete(service: DeepReadonly<Service>): void;
  onSliceUpdate(slice: DeepReadonly<EndpointSlice>): void;
  onSliceDelete(slice: DeepReadonly<EndpointSlice>): void;
}

/** Services with their slices as they are now, and which of them changed: kube-proxy's two change trackers. */
export interface ServiceStates extends ServiceWatch {
  get(key: string): ServiceState;
  keys(): Iterable<string>;
  /** "namespace/name" of the Services that changed since it was cleared. */
  readonly dirty: Set<string>;
}

const EMPTY: ServiceState = { ports: [], slices: new Map() };

export function createServiceStates(family: Family): ServiceStates {
  const states = new Map<string, ServiceState>();
  const dirty = new Set<string>();
  /** Slice ("namespace/name") to the Service that has it. */
  const serviceOf = new Map<string, string>();

  function change(key: string, update: (state: ServiceState) => ServiceState): void {
    const state = update(states.get(key) ?? EMPTY);
    if (state.ports.length === 0 && state.slices.size === 0) states.delete(key);
    else states.set(key, state);
    dirty.add(key);
  }

  function setSlice(slice: DeepReadonly<EndpointSlice>, present: boolean): void {
    const { namespace = '', name = '' } = slice.metadata;
    const id = `${namespace}/${name}`;
    const before = serviceOf.get(id);
    const now = present ? serviceOfSlice(slice, family) : undefined;
    const edit = (key: string, set: (slices: Map<string, DeepReadonly<EndpointSlice>>) => void): void =>
      change(key, state => {
        const slices = new Map(state.slices);
        set(slices);
        return { ...state, slices };
      });
    // A slice's labels can change: it leaves the Service that it belonged to, not the one it names now.
    if (before !== undefined && before !== now) {
      serviceOf.delete(id);
      edit(before, slices => slices.delete(name));
    }
    if (now === undefined) return;
    serviceOf.set(id, now);
    edit(now, slices => slices.set(name, slice));
  }

  const keyOf = ({ metadata }: DeepReadonly<Service>): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  return {
    onServiceUpdate: service => change(keyOf(service), state => ({ ...state, ports: servicePorts(service, family) })),
    onServiceDelete: service => change(keyOf(service), state => ({ ...state, ports: [] })),
    onSliceUpdate: slice => setSlice(slice, true),
    onSliceDelete: slice => setSlice(slice, false),
    get: key => states.get(key) ?? EMPTY,
    keys: () => states.keys(),
    dirty,
  };
}

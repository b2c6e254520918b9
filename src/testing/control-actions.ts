import type { Cluster } from './cluster.js';
import { ControlError } from './errors.js';
import type { Fault, FaultFilter, Faults } from './fault-types.js';
import type { RequestFilter } from './request-types.js';
import type { ResetOptions } from './time-types.js';
import type { TraceOptions } from './trace-types.js';
import type { ApiObject, Duration } from './types.js';

type Input = Readonly<Record<string, unknown>>;

/** Does what `METHOD /path` asks for with a body of JSON, and gives the answer as JSON. `name` is the rest of the path. */
export type ControlAction = (cluster: Cluster, input: Input, name: string) => unknown;

const text = (input: Input, key: string): string => {
  const value = input[key];
  if (typeof value !== 'string' || value === '') throw new ControlError(`${key}: want a text`);
  return value;
};
const optionalText = (input: Input, key: string): string | undefined =>
  input[key] === undefined ? undefined : text(input, key);
const duration = (input: Input, key: string): Duration => {
  const value = input[key];
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new ControlError(`${key}: want a duration such as "30s", or milliseconds`);
  return value;
};
const strings = (value: unknown, key: string): readonly string[] => {
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string'))
    throw new ControlError(`${key}: want a list of texts`);
  return value;
};

/** All that `input` has has to be something that is known: a typing error must not widen a filter. */
function only<K extends string>(input: Input, keys: readonly K[]): Partial<Record<K, unknown>> {
  const unknown = Object.keys(input).find(key => !keys.some(known => known === key));
  if (unknown !== undefined) throw new ControlError(`${unknown}: there is no such field, only ${keys.join(', ')}`);
  return input as Partial<Record<K, unknown>>;
}

const FILTER = ['user', 'userAgent', 'verb', 'resource', 'namespace', 'name'] as const;
const FAULT = [...FILTER, 'times', 'probability'] as const;

function filterOf(input: Input): RequestFilter {
  for (const key of FILTER)
    if (input[key] !== undefined && typeof input[key] !== 'string' && key !== 'verb') text(input, key);
  const { verb } = input;
  if (verb !== undefined && typeof verb !== 'string') strings(verb, 'verb');
  return Object.fromEntries(FILTER.flatMap(key => (input[key] === undefined ? [] : [[key, input[key]]])));
}

function faultFilterOf(input: Input): FaultFilter {
  for (const key of ['times', 'probability'])
    if (input[key] !== undefined && typeof input[key] !== 'number') throw new ControlError(`${key}: want a number`);
  const { times, probability } = input as { times?: number; probability?: number };
  return {
    ...filterOf(input),
    ...(times === undefined ? {} : { times }),
    ...(probability === undefined ? {} : { probability }),
  };
}

const FAULTS: Readonly<Record<string, (faults: Faults, input: Input) => Fault | undefined>> = {
  next(faults, input) {
    const { status, message, retryAfterSeconds } = only(input, [...FAULT, 'status', 'message', 'retryAfterSeconds']);
    if (typeof status !== 'number' && status !== 'reset') throw new ControlError('status: want a number or "reset"');
    if (retryAfterSeconds !== undefined && typeof retryAfterSeconds !== 'number')
      throw new ControlError('retryAfterSeconds: want a number');
    return faults.next({
      ...faultFilterOf(input),
      status,
      ...(message === undefined ? {} : { message: text(input, 'message') }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  },
  latency(faults, input) {
    const { delay } = only(input, [...FAULT, 'delay']);
    const pair = Array.isArray(delay) ? (delay as unknown[]) : undefined;
    return faults.latency({
      ...faultFilterOf(input),
      delay:
        pair?.length === 2
          ? [duration({ delay: pair[0] }, 'delay'), duration({ delay: pair[1] }, 'delay')]
          : duration(input, 'delay'),
    });
  },
  conflict: (faults, input) => faults.conflict(faultFilterOf(only(input, FAULT))),
  gone: (faults, input) => faults.gone(faultFilterOf(only(input, FAULT))),
  stale: (faults, input) => faults.stale(faultFilterOf(only(input, FAULT))),
  cut(faults, input) {
    faults.cut(filterOf(only(input, FILTER)));
    return undefined;
  },
  slowDisk(faults, input) {
    only(input, ['delay']);
    faults.slowDisk(duration(input, 'delay'));
    return undefined;
  },
};

function watchesOf({ watches }: Input): ResetOptions {
  if (watches === undefined) return {};
  if (watches !== 'events' && watches !== 'expired') throw new ControlError('watches: want events or expired');
  return { watches };
}

/** Of one control server: faults are named over it by numbers. */
export function createControlActions(): Readonly<Record<string, ControlAction>> {
  const faults = new Map<string, Fault>();
  let last = 0;
  const faultOf = (id: string): Fault => {
    const fault = faults.get(id);
    if (fault === undefined) throw new ControlError(`there is no fault ${JSON.stringify(id)}`);
    return fault;
  };
  return {
    'POST /apply': (cluster, input) => {
      const { source } = only(input, ['source', 'namespace', 'force']);
      const namespace = optionalText(input, 'namespace');
      return cluster.apply(source as string | ApiObject | readonly ApiObject[], {
        ...(namespace === undefined ? {} : { namespace }),
        ...(input['force'] === false ? { force: false } : {}),
      });
    },
    'POST /wait': (cluster, input) => {
      only(input, ['object', 'condition', 'namespace', 'timeout']);
      const namespace = optionalText(input, 'namespace');
      return cluster.waitFor(text(input, 'object'), text(input, 'condition'), {
        ...(namespace === undefined ? {} : { namespace }),
        ...(input['timeout'] === undefined ? {} : { timeout: duration(input, 'timeout') }),
      });
    },
    'POST /namespace': async (cluster, input) => {
      only(input, ['name']);
      return { name: await cluster.namespace(optionalText(input, 'name')) };
    },
    'POST /as': (cluster, input) => {
      only(input, ['user', 'groups']);
      const { kubeconfig, kubeconfigPath, config } = cluster.as(
        text(input, 'user'),
        strings(input['groups'] ?? [], 'groups'),
      );
      return { kubeconfig, kubeconfigPath, config };
    },
    'POST /requests': (cluster, input) => cluster.requests(filterOf(only(input, FILTER))),
    'POST /faults': (cluster, input) => {
      const { fault: kind, ...rest } = input;
      const set = typeof kind === 'string' && Object.hasOwn(FAULTS, kind) ? FAULTS[kind] : undefined;
      if (set === undefined) throw new ControlError(`fault: want one of ${Object.keys(FAULTS).join(', ')}`);
      const fault = set(cluster.faults, rest);
      if (fault === undefined) return {};
      const id = String(++last);
      faults.set(id, fault);
      return { id };
    },
    'GET /faults/': (_cluster, _input, id) => ({ id, hits: faultOf(id).hits }),
    'DELETE /faults/': (_cluster, _input, id) => {
      faultOf(id).end();
      return { id, hits: faultOf(id).hits };
    },
    'DELETE /faults': cluster => {
      cluster.faults.clear();
      faults.clear();
      return {};
    },
    'POST /nodes/': async (cluster, input, name) => {
      const { action } = only(input, ['action', 'skew']);
      const node = cluster.node(name);
      switch (action) {
        case 'partition':
        case 'heal':
        case 'kill':
        case 'start':
          await node[action]();
          break;
        case 'clockSkew':
          node.clockSkew(duration(input, 'skew'));
          break;
        default:
          throw new ControlError('action: want one of partition, heal, kill, start, clockSkew');
      }
      return { name, hostAddress: node.hostAddress };
    },
    'GET /nodes': cluster => cluster.nodes.map(({ name, hostAddress }) => ({ name, hostAddress })),
    'POST /settled': async cluster => {
      await cluster.settled();
      return {};
    },
    'POST /clock': async (cluster, input) => {
      only(input, ['advance']);
      if (input['advance'] !== undefined) await cluster.clock.advance(duration(input, 'advance'));
      return { now: cluster.clock.now() };
    },
    'POST /reset': async (cluster, input) => {
      await cluster.reset(watchesOf(only(input, ['watches'])));
      return {};
    },
    'GET /snapshot': async cluster => ({ snapshot: Buffer.from(await cluster.snapshot()).toString('base64') }),
    'POST /restore': async (cluster, input) => {
      const file = Buffer.from(text(input, 'snapshot'), 'base64');
      await cluster.restore(file, watchesOf(only(input, ['snapshot', 'watches'])));
      return {};
    },
    'POST /trace': async (cluster, input) => {
      const options = only(input, ['from', 'to', 'count', 'seed', 'family', 'node']);
      const { from: _from, to: _to, ...rest } = options;
      const trace = await cluster.trace(text(input, 'from'), text(input, 'to'), rest as TraceOptions);
      return { ...trace, text: trace.toString() };
    },
  };
}

import { formatTime, type Clock } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { Objects } from '../../api/strategy.js';
import type { Configuration } from './configuration.js';
import type { FlowSchema, PriorityLevel } from './types.js';

export const SCHEMAS = 'flowschemas.flowcontrol.apiserver.k8s.io';
export const LEVELS = 'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io';

/** Whether a schema's level is there, as its status says it. */
export interface DanglingCondition {
  readonly type: 'Dangling';
  readonly status: 'True' | 'False';
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export interface FollowOptions {
  readonly objects: Pick<Objects, 'list'>;
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Calls back at every change of a resource's objects, until the signal. */
  onChange(resource: string, changed: () => void): void;
  /** Writes a schema's condition. @throws StatusError */
  writeCondition(schema: string, condition: DanglingCondition): Promise<void>;
  onError(error: unknown): void;
}

export interface Follower {
  /** The objects should be read again. */
  poke(): void;
}

/** How often the seats are divided anew, as upstream. */
const ADJUST_EVERY_MS = 10_000;
/** A schema's status is written so often in a minute at most: other servers may be of another opinion. */
const MAX_WRITES = 6;
const MINUTE_MS = 60_000;
const RETRY_MS = 5_000;

function conditionOf(schema: FlowSchema, dangling: boolean, now: number): DanglingCondition | undefined {
  const level = JSON.stringify(schema.spec?.priorityLevelConfiguration.name ?? '');
  const about = `This FlowSchema references the PriorityLevelConfiguration object named ${level}`;
  const wanted = dangling
    ? { status: 'True', reason: 'NotFound', message: `${about} but there is no such object` }
    : { status: 'False', reason: 'Found', message: `${about} and it exists` };
  const { status, reason, message } = schema.status?.conditions?.find(({ type }) => type === 'Dangling') ?? {};
  if (status === wanted.status && reason === wanted.reason && message === wanted.message) return undefined;
  return { type: 'Dangling', ...wanted, lastTransitionTime: formatTime(now) } as DanglingCondition;
}

/**
 * Keeps the configuration as the stored objects say it, and the objects' status as it came out; divides the seats anew
 * every ten seconds. Until the signal.
 */
export function followObjects(options: FollowOptions): Follower {
  const { objects, configuration, clock, signal } = options;
  const writes = new Map<string, number[]>();
  /** By schema: what is to be written. */
  let pending = new Map<string, DanglingCondition>();
  let planned = false;
  let writing = false;

  const plan = (afterMs = 0): void => {
    if (planned || signal.aborted) return;
    planned = true;
    clock.after(afterMs, digest, { unref: true, work: true });
  };
  const digest = (): void => {
    planned = false;
    if (signal.aborted) return;
    const schemas = [...objects.list(SCHEMAS)] as FlowSchema[];
    const dangling = configuration.digest(objects.list(LEVELS) as Iterable<PriorityLevel>, schemas);
    const now = clock.now();
    pending = new Map();
    for (const schema of schemas) {
      const condition = conditionOf(schema, dangling.has(schema), now);
      if (condition !== undefined) pending.set(schema.metadata.name ?? '', condition);
    }
    void write();
  };
  const mayWrite = (name: string): boolean => {
    const since = clock.now() - MINUTE_MS;
    const recent = (writes.get(name) ?? []).filter(at => at > since);
    writes.set(name, recent);
    if (recent.length >= MAX_WRITES) return false;
    recent.push(clock.now());
    return true;
  };
  const write = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    let later = false;
    for (const [name, condition] of pending) {
      // What is read anew meanwhile takes the place of what is left here.
      pending.delete(name);
      if (signal.aborted) break;
      if (!mayWrite(name)) {
        later = true;
        continue;
      }
      try {
        await options.writeCondition(name, condition);
      } catch (error) {
        // It has just been deleted: word of it comes.
        if (isStatusError(error, 'NotFound')) continue;
        if (!signal.aborted) options.onError(error);
        later = true;
      }
    }
    writing = false;
    if (pending.size > 0) void write();
    else if (later) plan(RETRY_MS);
  };
  const adjust = (): void => {
    if (signal.aborted) return;
    configuration.adjust();
    clock.after(ADJUST_EVERY_MS, adjust, { unref: true });
  };

  for (const resource of [SCHEMAS, LEVELS]) options.onChange(resource, () => plan());
  clock.after(ADJUST_EVERY_MS, adjust, { unref: true });
  plan();
  return { poke: () => plan() };
}

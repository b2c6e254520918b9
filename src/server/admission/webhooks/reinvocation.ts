import { semanticEqual } from '../../../machinery/json-equal.js';
import type { KubeObject } from '../../../machinery/types.js';
import type { AdmissionRequest } from '../types.js';

/** Which webhooks are asked in a second round (apiserver webhook/mutating reinvocationcontext.go). */
export interface Reinvocation {
  readonly round: 0 | 1;
  /** Whether a webhook is asked in this round. */
  wants(uid: string): boolean;
  /** A webhook has changed the object: those that were asked before it, and want to know, are asked again. */
  changed(): void;
  /** A webhook that wants to know of later changes has been asked. */
  asked(uid: string): void;
  /** What has become of the object at the end of this round. */
  remember(object: KubeObject | undefined): void;
}

interface Memory {
  last: KubeObject | undefined;
  /** Asked so far, with nothing having changed since. */
  asked: Set<string>;
  readonly again: Set<string>;
}

export function createReinvocation(plugin: string, { rounds, object }: AdmissionRequest): Reinvocation {
  const memory = (rounds?.memory.get(plugin) as Memory | undefined) ?? {
    last: undefined,
    asked: new Set(),
    again: new Set(),
  };
  rounds?.memory.set(plugin, memory);
  const again = rounds?.again === true;
  const askAgain = (): void => {
    for (const uid of memory.asked) memory.again.add(uid);
    memory.asked = new Set();
  };
  // Other plugins have run since.
  if (again && !semanticEqual(memory.last, object)) askAgain();
  return {
    round: again ? 1 : 0,
    wants: uid => !again || memory.again.has(uid),
    changed() {
      askAgain();
      if (rounds !== undefined) rounds.wanted = true;
    },
    asked: uid => void memory.asked.add(uid),
    remember: object => void (memory.last = object),
  };
}

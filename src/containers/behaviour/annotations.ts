import { nearest } from '../../machinery/nearest.js';
import type { DeepReadonly, Pod } from '../../machinery/types.js';
import { BY_ANNOTATION, PREFIX, settingOf, type Behaviour } from './settings.js';

/** What a Pod's annotations say. */
export interface Said {
  /** Of every container of `spec.containers`. */
  readonly ofAll: Behaviour;
  /** Of single ones, by name. */
  readonly ofOne: ReadonlyMap<string, Behaviour>;
  /** What cannot be followed, each in words for its user. */
  readonly problems: readonly string[];
}

const NOTHING: Said = { ofAll: {}, ofOne: new Map(), problems: [] };
const MAX_QUOTED = 80;

export const quoted = (text: string): string =>
  JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);

/**
 * Reads "sim.kubette.io/exit-code", which is about all main containers, and "sim.kubette.io/CONTAINER.exit-code". What is
 * no setting or no value of one is a problem, and as if it were not there.
 */
export function readAnnotations(pod: DeepReadonly<Pod>): Said {
  const { annotations } = pod.metadata;
  if (annotations === undefined) return NOTHING;
  const keys = Object.keys(annotations).filter(key => key.startsWith(PREFIX));
  if (keys.length === 0) return NOTHING;
  const names = new Set(namesOf(pod));
  const ofAll: Record<string, unknown> = {};
  const ofOne = new Map<string, Record<string, unknown>>();
  const problems: string[] = [];
  for (const key of keys.sort()) {
    const dot = key.lastIndexOf('.');
    const container = dot < PREFIX.length ? undefined : key.slice(PREFIX.length, dot);
    const word = key.slice(container === undefined ? PREFIX.length : dot + 1);
    const name = BY_ANNOTATION.get(word);
    if (name === undefined) {
      problems.push(`${key}: there is no such setting${meant(word)}`);
      continue;
    }
    if (container !== undefined && !names.has(container)) {
      problems.push(`${key}: the Pod has no container ${quoted(container)}, only ${[...names].join(', ')}`);
      continue;
    }
    const { kind } = settingOf(name);
    const value = kind.read(annotations[key] ?? '');
    if (value === undefined) {
      problems.push(`${key}: want ${kind.allowed}, not ${quoted(annotations[key] ?? '')}`);
      continue;
    }
    const said = container === undefined ? ofAll : (ofOne.get(container) ?? {});
    said[name] = value;
    if (container !== undefined) ofOne.set(container, said);
  }
  return { ofAll: ofAll, ofOne: ofOne, problems };
}

const namesOf = ({ spec }: DeepReadonly<Pod>): string[] =>
  [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])].map(c => c.name);

function meant(word: string): string {
  const near = nearest(word, BY_ANNOTATION.keys());
  return near === undefined ? `; there are ${[...BY_ANNOTATION.keys()].join(', ')}` : `; did you mean "${near}"?`;
}

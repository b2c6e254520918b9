import { quote } from '../../machinery/go-text.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly } from '../../machinery/types.js';
import { findCondition, isTrue, type ConditionType } from './conditions.js';
import type { Condition, Definition, Names } from './definition.js';

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'> & { readonly type: ConditionType };

export interface NamesDecision {
  readonly accepted: Names;
  readonly namesAccepted: Verdict;
  readonly established: Verdict;
}

/** What other definitions of a group go by. */
export interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export function takenNames(ofGroup: Iterable<Definition>): TakenNames {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of ofGroup) {
    const { plural = '', singular = '', shortNames = [], kind = '', listKind = '' } = status?.acceptedNames ?? {};
    for (const name of [plural, singular, ...shortNames]) resources.add(name);
    for (const name of [kind, listKind]) kinds.add(name);
  }
  return { resources, kinds };
}

const NONE: Names = { plural: '', kind: '' };

/** undefined: what is asked for is what the definition goes by. */
export function decideNames(definition: Definition, taken: TakenNames): NamesDecision | undefined {
  const asked: DeepReadonly<Names> = definition.spec?.names ?? NONE;
  const had: DeepReadonly<Names> = definition.status?.acceptedNames ?? NONE;
  if (jsonEqual(asked, had)) return undefined;
  const accepted: Names = { ...had } as Names;
  let conflict: { readonly reason: string; readonly message: string } | undefined;

  const claim = (field: 'plural' | 'singular' | 'kind' | 'listKind', reason: string): void => {
    const name = asked[field] ?? '';
    const used = field === 'plural' || field === 'singular' ? taken.resources : taken.kinds;
    if (name !== (had[field] ?? '') && used.has(name)) conflict = { reason, message: inUse(name) };
    else accepted[field] = name;
  };
  claim('plural', 'PluralConflict');
  claim('singular', 'SingularConflict');
  const claimShortNames = (): void => {
    const own = new Set(had.shortNames ?? []);
    const refused = (asked.shortNames ?? []).filter(name => !own.has(name) && taken.resources.has(name));
    if (refused.length > 0) conflict = { reason: 'ShortNamesConflict', message: together(refused.map(inUse)) };
    else if (asked.shortNames === undefined) delete accepted.shortNames;
    else accepted.shortNames = [...asked.shortNames];
  };
  if (!jsonEqual(asked.shortNames ?? null, had.shortNames ?? null)) claimShortNames();
  claim('kind', 'KindConflict');
  claim('listKind', 'ListKindConflict');
  if (asked.categories === undefined) delete accepted.categories;
  else accepted.categories = [...asked.categories];

  const namesAccepted: Verdict =
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...(conflict as { reason: string; message: string }) };
  return { accepted, namesAccepted, established: establishedAfter(definition, conflict === undefined) };
}

const inUse = (name: string): string => `${quote(name)} is already in use`;

/** As Go prints several errors: each text once. */
function together(texts: readonly string[]): string {
  const once = [...new Set(texts)];
  return once.length === 1 ? (once[0] as string) : `[${once.join(', ')}]`;
}

/** A definition is established by who serves it, once it has names; whatever becomes of them then, it stays so. */
function establishedAfter(definition: Definition, accepted: boolean): Verdict {
  const type = 'Established';
  const found = findCondition(definition, type);
  if (accepted && !isTrue(definition, type))
    return { type, status: 'False', reason: 'Installing', message: 'the initial names have been accepted' };
  if (found === undefined)
    return { type, status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
  const { status, reason, message } = found;
  return { type, status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

import { invalid, required, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import type { DeepReadonly } from '../../../machinery/types.js';
import { isDns1035Label } from '../../../machinery/validation/names.js';
import type { Names } from '../types.js';

/** Names that a definition must have; what it is served as need not be known yet. */
export function checkNamesGiven(out: FieldError[], at: FieldPath, names: DeepReadonly<Names>): void {
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const)
    if (!names[name]) out.push(required(at.child(name)));
}

export function checkNames(out: FieldError[], at: FieldPath, names: DeepReadonly<Names>): void {
  const { kind = '', listKind = '' } = names;
  const label = (where: FieldPath, text: string): void => {
    const problems = isDns1035Label(text);
    if (problems.length > 0) out.push(invalid(where, text, problems.join(',')));
  };
  for (const name of ['plural', 'singular'] as const) if (names[name]) label(at.child(name), names[name]);
  for (const [name, text] of [
    ['kind', kind],
    ['listKind', listKind],
  ] as const) {
    const problems = text === '' ? [] : isDns1035Label(text.toLowerCase());
    const why = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
    if (problems.length > 0) out.push(invalid(at.child(name), text, why));
  }
  (names.shortNames ?? []).forEach((name, i) => label(at.child('shortNames').index(i), name));
  if (kind !== '' && kind === listKind)
    out.push(invalid(at.child('listKind'), listKind, 'kind and listKind may not be the same'));
  (names.categories ?? []).forEach((name, i) => label(at.child('categories').index(i), name));
}

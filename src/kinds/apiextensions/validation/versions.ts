import { invalid, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { goLength, isPrint } from '../../../machinery/go-text.js';
import { isDns1035Label } from '../../../machinery/validation/names.js';
import { internalVersion, jsonString, printed } from '../internal-json.js';
import type { InternalSpec } from '../internal-spec.js';
import type { ReadonlyVersion } from '../types.js';

const MAX_WARNING = 256;

export function checkVersionName(out: FieldError[], at: FieldPath, name: string): void {
  const problems = isDns1035Label(name);
  if (problems.length > 0) out.push(invalid(at, name, problems.join(',')));
}

export function checkDeprecation(out: FieldError[], at: FieldPath, version: ReadonlyVersion): void {
  const { deprecated = false, deprecationWarning: text } = version;
  if (text === undefined) return;
  const fail = (why: string): void => void out.push(invalid(at.child('deprecationWarning'), jsonString(text), why));
  if (!deprecated) return fail('can only be set for deprecated versions');
  if (goLength(text) > MAX_WARNING) fail('must be <= 256 characters long');
  if (text === '') fail('must not be an empty string');
  let position = 0;
  for (const char of text) {
    if (!isPrint(char))
      return fail(`must only contain printable UTF-8 characters; non-printable character found at index ${position}`);
    position += goLength(char);
  }
}

/**
 * What has to do with all versions at once. What all of them say alike stands at the top of the internal type: that it
 * may not stand in both places is nothing that a client can get wrong.
 */
export function checkVersions(out: FieldError[], at: FieldPath, spec: InternalSpec): void {
  const { versions = [], version } = spec;
  const shown = printed(() => spec.versions?.map(internalVersion) ?? null);
  if (new Set(versions.map(({ name = '' }) => name)).size < versions.length)
    out.push(invalid(at.child('versions'), shown, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage === true).length !== 1)
    out.push(invalid(at.child('versions'), shown, 'must have exactly one version marked as storage version'));
  if (version !== '') checkVersionName(out, at.child('version'), version);
}

/** What was stored once must stay known until it has been stored anew. */
export function checkStoredVersions(
  out: FieldError[],
  at: FieldPath,
  given: readonly string[] | null | undefined,
  versions: readonly ReadonlyVersion[],
): void {
  const stored = given ?? [];
  if (stored.length === 0) return void out.push(invalid(at, given ?? null, 'must have at least one stored version'));
  const left = new Map(stored.map((name, i) => [name, i]));
  for (const { name = '', storage } of versions) {
    if (storage === true && !left.has(name)) out.push(invalid(at, stored, `must have the storage version ${name}`));
    left.delete(name);
  }
  for (const [name, i] of left) {
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    out.push(invalid(at.index(i), name, why));
  }
}

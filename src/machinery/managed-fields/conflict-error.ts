import { quote } from '../go-text.js';
import { isDue, newPace } from '../pace.js';
import { StatusError } from '../status.js';
import type { Steps } from '../steps.js';
import { ownerId, type Owner } from './entries.js';
import { formatPaths } from './field-set.js';
import type { Conflict } from './updater.js';

/** `"m1"`, `"m2" with subresource "scale" using apps/v1`: updaters say their version, appliers do not. */
function formatOwner({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = subresource === '' ? quote(manager) : `${quote(manager)} with subresource ${quote(subresource)}`;
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

/** The 409 of an apply, one cause per path. Source: apimachinery managedfields/internal/conflict.go. */
export function* conflictError(conflicts: readonly Conflict[]): Steps<StatusError> {
  const pace = newPace();
  const causes: { reason: string; message: string; field: string }[] = [];
  const texts = new Map<Conflict, string>();
  for (const conflict of conflicts) {
    const owner = formatOwner(conflict.owner);
    const message = `conflict with ${owner}`;
    const paths = yield* formatPaths(conflict.set, pace);
    let text = `conflicts with ${owner}:`;
    for (const field of paths) {
      if (isDue(pace)) yield;
      causes.push({ reason: 'FieldManagerConflict', message, field });
      text += `\n- ${field}`;
    }
    texts.set(conflict, text);
  }
  const only = causes[0];
  let message = `Apply failed with 1 conflict: ${only?.message ?? ''}: ${only?.field ?? ''}`;
  if (causes.length !== 1) {
    const lines = [...conflicts]
      .sort((a, b) => (ownerId(a.owner) < ownerId(b.owner) ? -1 : 1))
      .map(conflict => texts.get(conflict) ?? '');
    message = `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`;
  }
  return new StatusError(409, 'Conflict', message, { causes });
}

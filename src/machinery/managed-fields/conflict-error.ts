import { quote } from '../go-text.js';
import { StatusError } from '../status.js';
import { ownerId, type Owner } from './entries.js';
import { formatPaths } from './field-set.js';
import type { Conflict } from './updater.js';

/** `"m1"`, `"m2" with subresource "scale" using apps/v1`: updaters say their version, appliers do not. */
function formatOwner({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = subresource === '' ? quote(manager) : `${quote(manager)} with subresource ${quote(subresource)}`;
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

/** The 409 of an apply, one cause per path. Source: apimachinery managedfields/internal/conflict.go. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.flatMap(({ owner, set }) =>
    formatPaths(set).map(field => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${formatOwner(owner)}`,
      field,
    })),
  );
  const only = causes[0];
  let message = `Apply failed with 1 conflict: ${only?.message ?? ''}: ${only?.field ?? ''}`;
  if (causes.length !== 1) {
    const lines = [...conflicts]
      .sort((a, b) => (ownerId(a.owner) < ownerId(b.owner) ? -1 : 1))
      .flatMap(({ owner, set }) => [`conflicts with ${formatOwner(owner)}:`, ...formatPaths(set).map(p => `- ${p}`)]);
    message = `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`;
  }
  return new StatusError(409, 'Conflict', message, { causes });
}

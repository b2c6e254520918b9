import { quote } from '../../machinery/go-text.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { isQualifiedName } from '../../machinery/validation/names.js';

const STANDARD: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);
const AT = 'metadata.finalizers';
const WHY = 'to avoid accidental conflicts with other finalizer writers';

/** Custom resources are only warned of finalizers that built-in kinds may not have; each is told of once. */
export function finalizerWarnings(
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject> | undefined,
): string[] {
  const known = new Set(old?.metadata.finalizers ?? []);
  const fresh = new Set((object.metadata.finalizers ?? []).filter(name => !known.has(name)));
  return [...fresh].sort().flatMap(warningsOf);
}

function warningsOf(name: string): string[] {
  const at = `${AT}: ${quote(name)}: `;
  const problems = isQualifiedName(name).map(text => at + text);
  if (name.includes('/') || STANDARD.has(name)) return problems;
  const how = name.includes('.') ? 'name including a path (/)' : 'name';
  return [...problems, `${at}prefer a domain-qualified finalizer ${how} ${WHY}`];
}

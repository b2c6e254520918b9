import { parseFieldSelector, type FieldSelector } from '../../machinery/fields.js';
import { parseLabelSelector } from '../../machinery/labels.js';
import { badRequestError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { Strategy } from '../../api/strategy.js';
import type { Scope } from './scope.js';

/** What a list or watch asked for, ready to be put to objects. */
export interface Selection {
  /** Everything matches: no selector was given. */
  readonly everything: boolean;
  /** The one name that can match, or ''. */
  readonly name: string;
  matches(object: DeepReadonly<KubeObject>): boolean;
}

const EVERYTHING: Selection = { everything: true, name: '', matches: () => true };

/** Go prints a missing value of a field as the zero value of its type; paths only ever end in strings and booleans. */
function textAt(object: DeepReadonly<KubeObject>, path: readonly string[]): string {
  let value: unknown = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return '';
    value = (value as Record<string, unknown>)[step];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function checkLabels(info: ResourceInfo, strategy: Strategy, selector: FieldSelector): void {
  for (const { field } of selector.requirements) {
    if (field === 'metadata.name' || info.selectableFields.has(field)) continue;
    // Cluster-scoped kinds with a conversion of their own do not list metadata.namespace.
    if (field === 'metadata.namespace' && (info.namespaced || !info.customFieldLabels)) continue;
    if (info.customFieldLabels) {
      throw badRequestError(strategy.unknownFieldLabel?.(field) ?? `field label not supported: ${field}`);
    }
    throw badRequestError(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
  }
}

const parsed = <T>(parse: (text: string) => T, text: string): T => {
  try {
    return parse(text);
  } catch (error) {
    throw badRequestError((error as Error).message);
  }
};

/** @throws StatusError 400 for a selector that cannot be read or names an unknown field */
export function selectionOf(
  { info, strategy, computedFields }: Pick<Scope, 'info' | 'strategy' | 'computedFields'>,
  options: { readonly labelSelector: string; readonly fieldSelector: string },
): Selection {
  if (options.labelSelector === '' && options.fieldSelector === '') return EVERYTHING;
  const labels = parsed(parseLabelSelector, options.labelSelector);
  const fields = parsed(parseFieldSelector, options.fieldSelector);
  checkLabels(info, strategy, fields);

  const paths = new Map(
    fields.requirements.map(r => [r.field, (info.selectableFields.get(r.field) ?? r.field).split('.')] as const),
  );
  const isPlain = (field: string): boolean => field === 'metadata.name' || field === 'metadata.namespace';
  const usesComputed = computedFields !== undefined && fields.requirements.some(r => !isPlain(r.field));

  const fieldsMatch = (object: DeepReadonly<KubeObject>): boolean => {
    const values = usesComputed ? computedFields(object) : undefined;
    // One look at the object per field, however many requirements name it.
    const found = new Map<string, string>();
    return fields.matches(field => {
      let value = found.get(field);
      if (value === undefined) found.set(field, (value = values?.[field] ?? textAt(object, paths.get(field) ?? [])));
      return value;
    });
  };
  return {
    everything: labels.empty && fields.empty,
    name: fields.exactValue('metadata.name') ?? '',
    matches: object =>
      (labels.empty || labels.matches(object.metadata.labels)) && (fields.empty || fieldsMatch(object)),
  };
}

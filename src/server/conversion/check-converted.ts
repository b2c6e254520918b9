import { formatFieldError, path, type FieldError } from '../../machinery/field-error.js';
import { goTypeName } from '../../machinery/go-text.js';
import { jsonTypeName } from '../../machinery/go-json.js';
import { cloneJson, setMember } from '../../machinery/json-equal.js';
import type { JsonObject, KubeObject } from '../../machinery/types.js';
import { validateLabels } from '../../machinery/validation/label-selector.js';
import { validateAnnotations } from '../../machinery/validation/object-meta.js';

/** An object that a webhook has sent, as Go reads it without knowing its type. @throws Error */
export function unstructured(sent: unknown): JsonObject & { kind: string; apiVersion: string } {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    throw new Error(`json: cannot unmarshal ${jsonTypeName(sent)} into Go value of type map[string]interface {}`);
  const { kind, apiVersion } = sent as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind !== 'string' || kind === '') throw new Error(`Object 'Kind' is missing in '${JSON.stringify(sent)}'`);
  return { ...sent, kind, apiVersion: typeof apiVersion === 'string' ? apiVersion : '' };
}

const textAt = (object: JsonObject, member: string): string => {
  const { metadata } = object as { metadata?: unknown };
  if (typeof metadata !== 'object' || metadata === null) return '';
  const value: unknown = (metadata as JsonObject)[member];
  return typeof value === 'string' ? value : '';
};

/** That it is still the same object. @throws Error */
export function checkSame(original: KubeObject, converted: JsonObject): void {
  for (const [member, word] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [wanted, got] = [textAt(original, member), textAt(converted, member)];
    if (wanted !== got) throw new Error(`must have the same ${word}: ${wanted} != ${got}`);
  }
}

const aggregate = (errors: readonly FieldError[]): Error => {
  const texts = errors.map(formatFieldError);
  return new Error(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`);
};

function checkStrings(member: string, sent: JsonObject): Record<string, string> {
  for (const [key, value] of Object.entries(sent))
    if (typeof value !== 'string')
      throw new Error(`metadata.${member}[${key}] must be a string, but is ${goTypeName(value)} in converted object`);
  return sent as Record<string, string>;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The metadata of a converted object: that of the original, but for labels and annotations, which a webhook may change.
 * @throws Error
 */
export function restoredMetadata(original: KubeObject, converted: JsonObject): KubeObject['metadata'] {
  if (!Object.hasOwn(converted, 'metadata')) throw new Error('missing metadata in converted object');
  const sent: unknown = converted['metadata'];
  if (!isObject(sent)) throw new Error(`invalid metadata of type ${goTypeName(sent)} in converted object`);
  const metadata = cloneJson(original.metadata);
  for (const member of ['labels', 'annotations'] as const) {
    const values: unknown = sent[member];
    if (values === undefined || values === null) {
      delete metadata[member];
      continue;
    }
    if (!isObject(values))
      throw new Error(`invalid metadata.${member} of type ${goTypeName(values)} in converted object`);
    const texts = checkStrings(member, values);
    const before = metadata[member] ?? {};
    const entries = Object.entries(texts);
    const same = entries.length === Object.keys(before).length && entries.every(([key, text]) => before[key] === text);
    if (same) continue;
    const errors =
      member === 'labels'
        ? validateLabels(texts, path('metadata', 'labels'))
        : validateAnnotations(texts, path('metadata', 'annotation'));
    if (errors.length > 0) throw aggregate(errors);
    setMember(metadata as Record<string, unknown>, member, texts);
  }
  return metadata;
}

import { quote } from '../../machinery/go-text.js';
import { isKnownFormat } from '../../api/structural/formats.js';
import { internalSpec } from './internal-spec.js';
import type { ReadonlyDefinition } from './types.js';
import { everySchema } from './walk-schema.js';

/** Formats of strings that nobody knows, each as often as it comes. */
function unknownFormats(definition: ReadonlyDefinition): string[] {
  const { shared, versions = [] } = internalSpec(definition);
  return [shared, ...versions].flatMap(({ schema }) =>
    [...everySchema(schema?.openAPIV3Schema)].flatMap(({ type, format = '' }) =>
      type === 'string' && format !== '' && !isKnownFormat(format) ? [format] : [],
    ),
  );
}

/** Source: apiextensions-apiserver pkg/registry/customresourcedefinition/strategy.go. */
export function definitionWarnings(now: ReadonlyDefinition, old: ReadonlyDefinition | undefined): string[] {
  const known = new Set(old === undefined ? [] : unknownFormats(old));
  return unknownFormats(now).flatMap(format => (known.has(format) ? [] : [`unrecognized format ${quote(format)}`]));
}

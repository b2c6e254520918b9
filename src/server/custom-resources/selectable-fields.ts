import { formatGo } from '../../machinery/go-text.js';
import { JsonPathError, parseJsonPath, type JsonPath } from '../../machinery/json-path.js';
import type { Strategy } from '../../api/strategy.js';
import type { Version } from './definition.js';

/** By field selector label, which is the path without its leading dot. */
export function selectableFields(version: Version): ReadonlyMap<string, JsonPath> {
  const fields = new Map<string, JsonPath>();
  for (const { jsonPath } of version.selectableFields ?? []) {
    try {
      fields.set(jsonPath.replace(/^\./, ''), parseJsonPath(jsonPath));
    } catch (error) {
      // The definition's own validation lets no such path pass; one from elsewhere selects nothing.
      if (!(error instanceof JsonPathError)) throw error;
    }
  }
  return fields;
}

/** What field selectors compare with; undefined: nothing but metadata. */
export function fieldsOf(fields: ReadonlyMap<string, JsonPath>): Strategy['fields'] {
  if (fields.size === 0) return undefined;
  return object =>
    Object.fromEntries(
      [...fields].map(([label, path]) => {
        const value = path(object)?.[0];
        return [label, value === undefined || value === null ? '' : formatGo(value)];
      }),
    );
}

import { isDue, type Pace } from '../../machinery/pace.js';
import { cloneJson, setMember } from '../../machinery/json-equal.js';
import type { Steps } from '../../machinery/steps.js';
import { memberSchema, type Structural } from './structural-schema.js';
import { isMap } from './walk.js';

/** Source: apiextensions-apiserver pkg/apiserver/schema/defaulting/{algorithm,prunenulls}.go. */

const isRefusedNull = (value: unknown, schema: Structural | undefined): boolean =>
  value === null && schema?.nullable === false;

const schemaOf = (schema: Structural, key: string): Structural | undefined => {
  const member = memberSchema(schema, key);
  return member === 'anything' ? undefined : member;
};

/**
 * Removes nulls of members that may not be null, unless there is a default to take their place. Nulls in lists stay:
 * validation finds them. Mutates.
 */
export function* dropNulls(value: unknown, schema: Structural | undefined, pace: Pace): Steps<void> {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item !== 'object' || item === null) continue;
      if (isDue(pace)) yield;
      yield* dropNulls(item, schema.items, pace);
    }
  } else if (isMap(value)) {
    for (const key in value) {
      const member = value[key];
      if (typeof member !== 'object') continue;
      const inner = schemaOf(schema, key);
      if (member === null) {
        if (isRefusedNull(member, inner) && inner?.default === undefined) delete value[key];
        continue;
      }
      if (isDue(pace)) yield;
      yield* dropNulls(member, inner, pace);
    }
  }
}

/** Fills in the defaults of members that are absent, or null where null is refused. Mutates. */
export function* applyDefaults(value: unknown, schema: Structural | undefined, pace: Pace): Steps<void> {
  if (schema?.hasDefaults !== true) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (isDue(pace)) yield;
      if (isRefusedNull(value[i], schema.items)) value[i] = fresh(schema.items?.default);
      yield* applyDefaults(value[i], schema.items, pace);
    }
  } else if (isMap(value)) {
    for (const [key, member] of schema.properties) {
      if (member.default === undefined) continue;
      if (!Object.hasOwn(value, key) || isRefusedNull(value[key], member)) setMember(value, key, fresh(member.default));
    }
    for (const key of Object.keys(value)) {
      const inner = schemaOf(schema, key);
      if (inner === undefined) continue;
      if (isDue(pace)) yield;
      // A property that had a default has it by now.
      if (!schema.properties.has(key) && isRefusedNull(value[key], inner)) setMember(value, key, fresh(inner.default));
      yield* applyDefaults(value[key], inner, pace);
    }
  }
}

const fresh = (value: unknown): unknown => (value === undefined ? null : cloneJson(value));

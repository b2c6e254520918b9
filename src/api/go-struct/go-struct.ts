import type { KubeObject, JsonObject } from '../../machinery/types.js';
import { atOnce } from '../../machinery/steps.js';
import { isStatusError } from '../../machinery/status.js';
import { applyStrategicMergePatch, asStrategicMergePatch } from '../../machinery/strategic-merge.js';
import { applyDefaults } from './apply-defaults.js';
import { canonicalSteps, decode, decodeSteps } from '../codec/decode.js';
import { GoDecodeError } from '../codec/json-cursor.js';
import { restoreProblem } from './restore.js';
import { zeroStruct, zeroValue } from '../codec/zero.js';
import type { Columns } from '../columns.js';
import { dropDisabledFields } from './disabled-fields.js';
import type { DecodedBody, KindSchema } from '../kind-schema.js';
import type { Api, KindType } from '../load.js';
import { apiVersionOf } from '../resource-info.js';
import { createEmptyListVisitor } from './empty-lists.js';

export interface GoStructOptions {
  /** The scheme: what else a body may say it is. */
  readonly api: Api;
  readonly columns: Columns;
  /** Fields that upstream's internal type holds as plain values: a zero object has them, too (spec.replicas). */
  readonly plainFields?: readonly string[];
}

/** The schema of a kind that is a Go struct upstream, as api-schemas/ has it. */
export function goStruct(target: KindType, { api, columns, plainFields = [] }: GoStructOptions): KindSchema {
  const { group, version, kind, type } = target;
  const apiVersion = apiVersionOf(target);
  /** null: not compiled yet, which the first write of the kind does. */
  let emptyLists: ReturnType<typeof createEmptyListVisitor> | null = null;
  return {
    group,
    version,
    kind,
    columns,
    mediaTypes: ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
    form: 'struct',
    decode: (body, media) => decodeSteps(body, media, target, api),
    canonicalize: object => canonicalSteps(object, target),
    *patched(document, text) {
      if (document['kind'] === kind && !document['apiVersion']) return internalObject(document, kind);
      if (document['kind'] !== kind || document['apiVersion'] !== apiVersion) {
        const problem = decodeError(text(), target, api);
        if (problem !== undefined) throw new GoDecodeError(problem);
      }
      return yield* canonicalSteps(document, target);
    },
    applied: document => canonicalSteps(document, target),
    inTextOrder: object => atOnce(canonicalSteps(object, target)).object,
    restoreProblem: document => restoreProblem(document, type),
    *applyDefaults(object) {
      applyDefaults(object, type);
    },
    dropDisabled: object => dropDisabledFields(object, type),
    normalize(object) {
      if (emptyLists === null) emptyLists = createEmptyListVisitor(type);
      emptyLists?.(object);
    },
    fields: { struct: type, unstructured: false },
    strategic: {
      *apply(live, patch) {
        return yield* applyStrategicMergePatch(live, asStrategicMergePatch(patch), type);
      },
    },
    zero() {
      const { kind: _kind, apiVersion: _apiVersion, metadata: _metadata, ...members } = zeroStruct(type);
      for (const path of plainFields) setZero(members, path.split('.'));
      return members;
    },
    absent(member) {
      const field = type.byName.get(member);
      return field === undefined || field.omit !== 'never' || field.pointer ? undefined : zeroValue(field.type);
    },
  };
}

function setZero(object: JsonObject, [name = '', ...rest]: readonly string[]): void {
  if (rest.length > 0) setZero(object[name] as JsonObject, rest);
  else object[name] = 0;
}

/**
 * Without apiVersion upstream decodes into its internal type, whose fields have no JSON names: it knows no member of the
 * document but the kind, and the object has no name.
 */
function internalObject(document: JsonObject, kind: string): DecodedBody {
  const strange = Object.keys(document).filter(key => key !== 'kind' && key !== 'apiVersion');
  const object: KubeObject = { kind, metadata: {} };
  return { object, strictProblems: strange.map(key => `unknown field ${JSON.stringify(key)}`) };
}

/** Why JSON text is no object of the kind, in upstream's words; undefined: it is one. */
function decodeError(text: string, target: KindType, api: Api): string | undefined {
  try {
    decode(Buffer.from(text), 'application/json', target, api, { fieldValidation: 'Ignore' });
    return undefined;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    // Patches show what went wrong without the frame that a body's error has.
    return withoutFrame(error.message, target.kind);
  }
}

/** The frames are `unhandled` and `unrecognized` of codec/decode.ts. */
function withoutFrame(message: string, kind: string): string {
  const unhandled = ` cannot be handled as a ${kind}: `;
  const at = message.indexOf(unhandled);
  if (at >= 0) return message.slice(at + unhandled.length);
  const unrecognized = `the object provided is unrecognized (must be of type ${kind}): `;
  if (!message.startsWith(unrecognized)) return message;
  // The summary of the body, in brackets, is last.
  return message.slice(unrecognized.length, message.lastIndexOf(' ('));
}

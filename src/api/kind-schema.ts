import type { FieldError } from '../machinery/field-error.js';
import type { StructType } from '../machinery/schema.js';
import type { Steps } from '../machinery/steps.js';
import type { DeepReadonly, GroupVersionKind, JsonObject, KubeObject } from '../machinery/types.js';
import type { Columns } from './columns.js';
import type { OwnDefinition } from './openapi/own-definition.js';

/** Media types of bodies, without parameters. */
export type BodyType = 'application/json' | 'application/yaml' | 'application/vnd.kubernetes.protobuf';

export interface DecodedBody {
  /** Canonical: as Go would write the object back. kind and apiVersion are set. */
  readonly object: KubeObject;
  /** `unknown field "spec.foo"`, `duplicate field "data.a"`, in upstream's order. */
  readonly strictProblems: readonly string[];
}

/** What server-side apply knows of a kind. */
export interface MergeSchema {
  readonly struct: StructType;
  /** Go holds the objects as maps: an absent member is absent, whatever its type. */
  readonly unstructured: boolean;
  /** Whether an object has the types that are said here: in one that has not, nobody owns anything. undefined: all have. */
  readonly fits?: (object: DeepReadonly<KubeObject>) => Steps<boolean>;
}

export interface StrategicMerge {
  /** Neither argument is changed. @throws StatusError */
  apply(live: JsonObject, patch: unknown): Steps<{ merged: JsonObject; consumed: unknown }>;
}

/** An object that is to be stored. */
export interface CheckedWrite {
  /** The endpoint: "" for the object itself. */
  readonly subresource: string;
  /** Whether that part is all that has changed (status, not scale). */
  readonly partly: boolean;
  readonly object: DeepReadonly<KubeObject>;
  /** undefined: the object is new. */
  readonly old: DeepReadonly<KubeObject> | undefined;
}

/**
 * A kind in one version, as far as its schema goes: how its objects are read, what form they have, what is missing in
 * them, what is wrong with them. There are two makers: `goStruct` for the types of api-schemas/, `structural` for
 * schemas that are known at run time only. Generic code asks this object and never what made it.
 */
export interface KindSchema extends GroupVersionKind {
  /** In which bodies come and answers go, the preferred one first. */
  readonly mediaTypes: readonly BodyType[];
  /**
   * How Go holds the objects: of structs, list items are bare of kind and apiVersion; maps are whole wherever they are.
   */
  readonly form: 'struct' | 'map';
  /** Wire to canonical. @throws StatusError 400 with upstream's text */
  decode(body: Buffer, type: BodyType): Steps<DecodedBody>;
  /**
   * Brings an object that was made in the server (by a patch, a webhook, a strategy) to the form that decoding gives.
   * @throws Error with Go's message when a value has the wrong type
   */
  canonicalize(object: object): Steps<DecodedBody>;
  /**
   * As canonicalize, of what a JSON or merge patch has made, which is to say itself what it is. `text` is its JSON.
   * @throws Error with the message that decoding that text gives
   */
  patched(document: JsonObject, text: () => string): Steps<DecodedBody>;
  /**
   * As canonicalize, of what server-side apply has made, which the kind's fields have let pass.
   * @throws Error with Go's message when a value has the wrong type
   */
  applied(document: JsonObject): Steps<DecodedBody>;
  /** The object with its members in the order of its JSON text, which error messages show. */
  inTextOrder(object: DeepReadonly<KubeObject>): JsonObject;
  /** Why a merged document is no object of the kind in Go's eyes; undefined: it is one. May bring values to their types. */
  restoreProblem(document: JsonObject): string | undefined;
  /** Mutates. What the schema says of absent values. */
  applyDefaults(object: JsonObject): Steps<void>;
  /** Mutates. Removes what is behind feature gates that are off. */
  dropDisabled(object: JsonObject): void;
  /** Mutates an object that is to be stored into what upstream's store gives back, but for the defaults. */
  normalize(object: JsonObject): void;
  /** Mutates. What is stored may be older than the schema. undefined: it never is. */
  readonly restore?: (object: KubeObject) => void;
  /** Whether `restore` would leave an object as it is, found out quickly; in doubt it says no. */
  readonly isRestored?: (object: DeepReadonly<KubeObject>) => boolean;
  /**
   * Mutates what was converted from another version of the kind: removes what this one does not know. undefined:
   * conversions leave nothing of that sort. @throws Error with Go's message when metadata has the wrong type
   */
  readonly converted?: (object: KubeObject) => void;
  /** What is wrong with values, as far as the schema says. `warn` is told what may be wrong, since it was before. */
  validate?(write: CheckedWrite, warn: (text: string) => void): Steps<FieldError[]>;
  readonly fields: MergeSchema;
  /** undefined: such patches are no media type of the kind (415). */
  readonly strategic?: StrategicMerge;
  /** The members of an object that nobody has given a value. Fresh for each call. */
  zero(): JsonObject;
  /** What is written where nothing is at the top of an object; undefined: nothing. */
  absent(member: string): unknown;
  readonly columns: Columns;
  /** undefined: the OpenAPI documents find its types in api-schemas/. */
  readonly openapi?: OwnDefinition;
}

import { applyDefaults } from '../../resources/codec/apply-defaults.js';
import { canonicalize, canonicalSteps, decode } from '../../resources/codec/decode.js';
import type { Steps } from '../../machinery/steps.js';
import { isStatusError } from '../../machinery/status.js';
import type { Api } from '../../resources/load.js';
import type { StructType } from '../../machinery/schema.js';
import type { CatalogEntry } from '../../resources/catalog.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Decoded } from './types.js';

/** A kind and its shape: that of a resource, or of a subresource with a body of its own. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly type: StructType;
}

/** What the registry needs of the codec, for objects that come out of patches and of internal writers. */
export interface ObjectCodec {
  /** Brings parsed JSON to the form that decoding gives. @throws Error with encoding/json's text */
  canonicalize(object: object, kind: Kind): Decoded;
  /** As canonicalize. */
  canonicalSteps(object: object, kind: Kind): Steps<Decoded>;
  /** Why JSON text is no object of the kind, in upstream's words; undefined: it is one. */
  decodeError(text: string, kind: Kind): string | undefined;
  /** Mutates: schema defaults, then the strategy's. */
  applyDefaults(entry: CatalogEntry, object: KubeObject): Steps<void>;
  /** The kind of a subresource's body, e.g. autoscaling/v1 Scale. */
  kind(group: string, version: string, kind: string): Kind | undefined;
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

/** The codec over the built-in kinds and, by their own types, custom resources. */
export const createObjectCodec = (api: Api): ObjectCodec => ({
  canonicalize,
  canonicalSteps,
  decodeError(text, kind) {
    try {
      decode(Buffer.from(text), 'application/json', kind, api, { fieldValidation: 'Ignore' });
      return undefined;
    } catch (error) {
      if (!isStatusError(error)) throw error;
      // Patches show what went wrong without the frame that a body's error has.
      return withoutFrame(error.message, kind.kind);
    }
  },
  *applyDefaults({ info, strategy }, object) {
    applyDefaults(object, info.type);
    yield;
    strategy.default?.(object);
  },
  kind: (group, version, kind) => api.kind(group, version, kind),
});

import { wellFormedSteps } from '../../machinery/clone-steps.js';
import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { badRequestError } from '../../machinery/status.js';
import { yamlValueSteps } from '../../api/codec/yaml.js';
import type { PatchType } from '../negotiation/media-types.js';
import { isTooDeep } from '../../machinery/json-depth.js';
import type { Steps } from '../../machinery/steps.js';

/** The escape of half a pair: JSON.parse takes it without the other half. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

export interface DecodedPatch {
  /** Any JSON: whether it is a patch of its type is for the registry to say. */
  readonly patch: unknown;
  /** Keys that YAML gives twice; the last one wins. */
  readonly duplicateKeys: readonly string[];
}

/**
 * The patch in a body. JSON and merge patches are decoded twice upstream, unless field validation is ignored
 * (`checked` false), and the texts tell which decoder failed (apiserver endpoints/handlers/patch.go).
 * @throws StatusError 400 in the words of the Go decoder that upstream uses for the type
 */
export function* decodePatch(body: Buffer, type: PatchType, checked: boolean): Steps<DecodedPatch> {
  if (type === 'apply') return yield* decodeApply(body);
  try {
    if (isTooDeep(body)) throw new SyntaxError('exceeded max depth');
    yield;
    const text = body.toString('utf8');
    const patch: unknown = JSON.parse(text);
    if (!SURROGATE.test(text)) return { patch, duplicateKeys: [] };
    yield;
    return { patch: yield* wellFormedSteps(patch), duplicateKeys: [] };
  } catch (error) {
    if (type === 'merge' && !checked) throw badRequestError('Invalid JSON Patch');
    const prefix = type === 'strategic' || !checked ? '' : 'error decoding patch: ';
    throw badRequestError(`${prefix}${goJsonSyntaxError(body) ?? String(error)}`);
  }
}

function* decodeApply(body: Buffer): Steps<DecodedPatch> {
  const { value, error, duplicateKeys } = yield* yamlValueSteps(body.toString('utf8'));
  if (error !== undefined) throw badRequestError(`error decoding YAML: error converting YAML to JSON: ${error}`);
  if (value === undefined) throw badRequestError('error decoding YAML: exceeded max depth');
  return { patch: value, duplicateKeys };
}

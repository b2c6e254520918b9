import { goJsonSyntaxError, jsonTypeName } from '../../machinery/go-json.js';
import { badRequestError } from '../../machinery/status.js';
import { yamlToJson } from '../../resources/codec/yaml.js';
import type { PatchType } from '../negotiation/media-types.js';

/** What each patch is decoded into, as Go names it in errors (apiserver endpoints/handlers/patch.go). */
const GO_TYPES: Readonly<Record<PatchType, string>> = {
  json: '[]handlers.jsonPatchOp',
  merge: 'map[string]interface {}',
  strategic: 'map[string]interface {}',
  apply: 'map[string]interface {}',
};
const PREFIXES: Readonly<Record<PatchType, string>> = {
  json: 'error decoding patch: ',
  merge: 'error decoding patch: ',
  strategic: '',
  apply: 'error decoding YAML: ',
};

/**
 * The patch in a body: a list of operations (json) or an object.
 * @throws StatusError 400 in the words of the Go decoder that upstream uses for the type
 */
export function decodePatch(body: Buffer, type: PatchType): unknown {
  const fail = (why: string): never => {
    throw badRequestError(PREFIXES[type] + why);
  };
  let text = body.toString('utf8');
  if (type === 'apply') {
    const converted = yamlToJson(text);
    if (converted.error !== undefined) fail(`error converting YAML to JSON: ${converted.error}`);
    text = converted.json;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail(goJsonSyntaxError(body) ?? String(error));
  }
  if (value === null) return type === 'json' ? [] : {};
  const fits = type === 'json' ? Array.isArray(value) : typeof value === 'object' && !Array.isArray(value);
  if (!fits) {
    const problem = `json: cannot unmarshal ${jsonTypeName(value)} into Go value of type ${GO_TYPES[type]}`;
    fail(type === 'apply' ? `error unmarshaling JSON: while decoding JSON: ${problem}` : problem);
  }
  return value;
}

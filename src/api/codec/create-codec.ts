import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { ProtobufError } from '../../machinery/protobuf-wire.js';
import { atOnce, type Steps } from '../../machinery/steps.js';
import { badRequestError } from '../../machinery/status.js';
import type { CatalogEntry } from '../catalog.js';
import { createBodySchemas } from '../go-struct/body-schemas.js';
import type { BodyType, DecodedBody, KindSchema } from '../kind-schema.js';
import type { Api } from '../load.js';
import { apiVersionOf, type SubresourceInfo } from '../resource-info.js';
import { openEnvelope, readRawObject } from './protobuf.js';
import { utf8Steps } from './utf8-steps.js';
import { duplicateKeysProblem, yamlSteps } from './yaml.js';
import { isTooDeep } from '../../machinery/json-depth.js';

/** Reads the bodies of requests. */
export interface Codec {
  /** The object for a resource or one of its subresources, canonical. @throws StatusError 400 with upstream's text */
  decode(body: Buffer, type: BodyType, entry: CatalogEntry, subresource?: SubresourceInfo): DecodedBody;
  /** As decode. */
  decodeSteps(body: Buffer, type: BodyType, entry: CatalogEntry, subresource?: SubresourceInfo): Steps<DecodedBody>;
  /** A body that is no resource: options, patches. @throws StatusError 400 */
  parse(body: Buffer, type: BodyType): unknown;
}

export function createCodec(api: Api): Codec {
  const bodies = createBodySchemas(api);
  const schemaOf = ({ info, schema }: CatalogEntry, subresource: SubresourceInfo | undefined): KindSchema => {
    if (subresource === undefined || subresource.kind === info.kind) return schema;
    const known = bodies(subresource.group, subresource.version, subresource.kind);
    if (known === undefined)
      throw badRequestError(
        `${info.plural}/${subresource.name} takes no ${apiVersionOf(subresource)} ${subresource.kind}`,
      );
    return known;
  };
  const steps: Codec['decodeSteps'] = (body, type, entry, subresource) =>
    schemaOf(entry, subresource).decode(body, type);
  return {
    decode: (body, type, entry, subresource) => atOnce(steps(body, type, entry, subresource)),
    decodeSteps: steps,
    parse(body, type) {
      if (type === 'application/vnd.kubernetes.protobuf') return parseProtobuf(body, api);
      return parseJson(type === 'application/yaml' ? atOnce(fromYaml(body)).json : body);
    },
  };
}

function* fromYaml(body: Buffer): Steps<{ json: Buffer; strictProblems: readonly string[] }> {
  const { json, error, duplicateKeys } = yield* yamlSteps(yield* utf8Steps(body));
  if (error !== undefined) throw badRequestError(error);
  return {
    json: Buffer.from(json),
    strictProblems: duplicateKeys.length === 0 ? [] : [duplicateKeysProblem(duplicateKeys)],
  };
}

function parseJson(body: Buffer): unknown {
  try {
    if (!isTooDeep(body)) return JSON.parse(body.toString());
    throw new SyntaxError('exceeded max depth');
  } catch (error) {
    const text = goJsonSyntaxError(body) ?? (error as Error).message;
    throw badRequestError(`couldn't get version/kind; json parse error: ${text}`);
  }
}

/** Options are registered with every group-version: their kind alone says what they are. */
function parseProtobuf(body: Buffer, api: Api): unknown {
  try {
    const { apiVersion, kind, raw } = openEnvelope(body);
    const type = api.type(`meta.v1.${kind}`);
    if (type === undefined) throw badRequestError(`no kind "${kind}" is registered for version "${apiVersion}"`);
    return { kind, apiVersion, ...atOnce(readRawObject(raw, type)) };
  } catch (error) {
    if (error instanceof ProtobufError) throw badRequestError(error.message);
    throw error;
  }
}

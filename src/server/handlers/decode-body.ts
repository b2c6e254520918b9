import { goJsonSyntaxError } from '../../machinery/go-json.js';
import { badRequestError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import { decode } from '../../resources/codec/decode.js';
import { yamlToJson } from '../../resources/codec/yaml.js';
import type { Api, KindType } from '../../resources/load.js';
import type { WriteOptions } from '../../resources/strategy.js';
import { ENCODINGS, inputEncoding, inputEncodings, YAML_TYPE } from '../negotiation/media-types.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';

/** The kind that a route takes: its resource's, or its subresource's own (Scale, Binding, Eviction, TokenRequest). */
function targetKind(route: ResourceRoute, api: Api): KindType {
  const { info } = route.entry;
  const { subresource } = route;
  if (subresource === undefined || subresource.kind === info.kind) return info;
  const kind = api.kind(subresource.group, subresource.version, subresource.kind);
  if (kind === undefined) throw new Error(`no type for ${info.plural}/${subresource.name}: ${subresource.kind}`);
  return kind;
}

/**
 * The object in the body. Unknown and duplicate fields become warnings or a 400, as fieldValidation says.
 * @throws StatusError 400, 415
 */
export function decodeBody(
  exchange: Exchange,
  route: ResourceRoute,
  options: WriteOptions,
  context: ApiContext,
): KubeObject {
  const encoding = inputEncoding(exchange.request.raw.headers['content-type'], inputEncodings(route.entry.info));
  const { fieldValidation } = options;
  const { api } = context;
  const decoded = decode(exchange.body, encoding, targetKind(route, api), api, { fieldValidation });
  exchange.warnings.push(...decoded.strictProblems);
  return decoded.object;
}

const INTERPRET = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
const OPTIONS_SCHEME = 'k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27';

function optionsJson(body: Buffer, yaml: boolean): Buffer {
  if (!yaml) return body;
  const converted = yamlToJson(body.toString('utf8'));
  if (converted.error !== undefined) throw badRequestError(converted.error);
  return Buffer.from(converted.json);
}

/**
 * An optional body of options, such as DeleteOptions; undefined when there is none. Any group's DeleteOptions will do.
 * @throws StatusError 400, 415
 */
export function decodeOptions(exchange: Exchange, kind: string): Record<string, unknown> | undefined {
  const { body } = exchange;
  if (body.length === 0) return undefined;
  const encoding = inputEncoding(exchange.request.raw.headers['content-type'], ENCODINGS);
  const json = optionsJson(body, encoding === YAML_TYPE);
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw badRequestError(
      `couldn't get version/kind; json parse error: ${goJsonSyntaxError(json) ?? (error as Error).message}`,
    );
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw badRequestError(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ${INTERPRET}`,
    );
  }
  const options = value as Record<string, unknown>;
  const given = options['kind'];
  if (typeof given === 'string' && given !== '' && given !== kind) {
    const version = typeof options['apiVersion'] === 'string' ? options['apiVersion'] : 'meta.k8s.io/v1';
    throw badRequestError(
      `no kind ${JSON.stringify(given)} is registered for version ${JSON.stringify(version)} in scheme "${OPTIONS_SCHEME}"`,
    );
  }
  return options;
}

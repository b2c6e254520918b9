import { badRequestError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import { apiVersionOf } from '../../resources/resource-info.js';
import type { WriteOptions } from '../../resources/strategy.js';
import { ENCODINGS, inputEncoding, inputEncodings } from '../negotiation/media-types.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';

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
  const decoded = context.codec.decode(exchange.body, encoding, route.entry, route.subresource);
  if (decoded.strictProblems.length === 0) return decoded.object;
  if (options.fieldValidation === 'Warn') exchange.warnings.push(...decoded.strictProblems);
  if (options.fieldValidation === 'Strict') {
    const { kind, version } = subject(route);
    throw badRequestError(
      `${decoded.object.kind ?? kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${decoded.strictProblems.join(', ')}`,
    );
  }
  return decoded.object;
}

const subject = (route: ResourceRoute): { kind: string; version: string } => {
  const { info } = route.entry;
  const of = route.subresource ?? info;
  return { kind: of.kind, version: apiVersionOf({ group: '', version: of.version }) };
};

/** An optional body of options, such as DeleteOptions; undefined when there is none. @throws StatusError 400, 415 */
export function decodeOptions(
  exchange: Exchange,
  kind: string,
  context: ApiContext,
): Record<string, unknown> | undefined {
  if (exchange.body.length === 0) return undefined;
  const encoding = inputEncoding(exchange.request.raw.headers['content-type'], ENCODINGS);
  const value = context.codec.parse(exchange.body, encoding);
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw badRequestError(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const body = value as Record<string, unknown>;
  const given = body['kind'];
  if (typeof given === 'string' && given !== '' && given !== kind) {
    const version = typeof body['apiVersion'] === 'string' ? body['apiVersion'] : 'meta.k8s.io/v1';
    throw badRequestError(
      `no kind ${JSON.stringify(given)} is registered for version ${JSON.stringify(version)} in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"`,
    );
  }
  return body;
}

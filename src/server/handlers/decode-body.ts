import { badRequestError } from '../../machinery/status.js';
import { cloneJson } from '../../machinery/json-equal.js';
import { atOnce, inTurns } from '../../machinery/steps.js';
import type { KubeObject } from '../../machinery/types.js';
import { defaultObject } from '../../api/default-object.js';
import type { SubresourceInfo } from '../../api/resource-info.js';
import type { WriteOptions } from '../../api/strategy.js';
import { ENCODINGS, inputEncoding } from '../negotiation/media-types.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange, ResourceRoute } from '../pipeline/exchange.js';

/** A copy, since the object changes on its way; with defaults, which upstream's decoder sets. */
function asAudited(object: KubeObject, { entry, subresource }: ResourceRoute): KubeObject {
  const copy = cloneJson(object);
  if (subresource !== undefined && subresource.kind !== entry.info.kind) return copy;
  atOnce(defaultObject(entry, copy));
  return copy;
}

/** Upstream reads views of kinds that are known at run time only by a scheme of their own. @throws StatusError 400 */
function checkViewKind(body: unknown, { group, version, kind }: SubresourceInfo): void {
  const given = (body ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const { apiVersion = '', kind: named = '' } = given;
  if ((apiVersion === '' || apiVersion === `${group}/${version}`) && (named === '' || named === kind)) return;
  throw badRequestError(`no kind is registered for the type ${version}.${kind} in scheme "pkg/runtime/scheme.go:111"`);
}

/** Several problems of one YAML text are one error but warnings of their own. */
const yamlLines = (problem: string): string[] => {
  const [head, ...lines] = problem.split('\n');
  return head === 'yaml: unmarshal errors:' ? lines.map(line => line.trim()) : [problem];
};

/**
 * The object in the body. Unknown and duplicate fields become warnings or a 400, as fieldValidation says.
 * @throws StatusError 400, 415
 */
export async function decodeBody(
  exchange: Exchange,
  route: ResourceRoute,
  options: WriteOptions,
  context: ApiContext,
): Promise<KubeObject> {
  const { entry, subresource } = route;
  const encoding = inputEncoding(exchange.request.raw.headers['content-type'], entry.schema.mediaTypes);
  if (entry.info.dynamic === true && subresource !== undefined && subresource.kind !== entry.info.kind)
    checkViewKind(context.codec.parse(exchange.body, encoding), subresource);
  const steps = context.codec.decodeSteps(exchange.body, encoding, entry, subresource);
  const { object, strictProblems } = await inTurns(steps, context.turns);
  const { audit } = exchange;
  if (audit !== undefined) {
    audit.requested(() => asAudited(object, route));
    audit.targets({ ...object.metadata });
  }
  if (strictProblems.length === 0 || options.fieldValidation === 'Ignore') return object;
  if (options.fieldValidation === 'Strict') {
    const { kind, version } = subresource ?? entry.info;
    throw badRequestError(
      `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${strictProblems.join(', ')}`,
    );
  }
  for (const line of strictProblems.flatMap(yamlLines)) exchange.warnings.push(line);
  return object;
}

const INTERPRET = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
const OPTIONS_SCHEME = 'k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27';

const withoutKind = ({ kind: _kind, apiVersion: _apiVersion, ...rest }: Record<string, unknown>) => rest;

/**
 * An optional body of options, such as DeleteOptions; undefined when there is none. Any group's DeleteOptions will do.
 * @throws StatusError 400, 415
 */
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
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ${INTERPRET}`,
    );
  }
  const options = value as Record<string, unknown>;
  exchange.audit?.requested(() => ({ kind, apiVersion: 'meta.k8s.io/__internal', ...withoutKind(options) }));
  const given = options['kind'];
  if (typeof given === 'string' && given !== '' && given !== kind) {
    const version = typeof options['apiVersion'] === 'string' ? options['apiVersion'] : 'meta.k8s.io/v1';
    throw badRequestError(
      `no kind ${JSON.stringify(given)} is registered for version ${JSON.stringify(version)} in scheme "${OPTIONS_SCHEME}"`,
    );
  }
  return options;
}

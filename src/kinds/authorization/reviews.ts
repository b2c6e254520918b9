import { formatTime } from '../../machinery/clock.js';
import { errorList, errorsOf, invalid, path, type FieldError } from '../../machinery/field-error.js';
import { badRequestError, invalidError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Strategy, UserInfo } from '../../api/strategy.js';
import type { AccessAttributes, KindDeps, PolicyRule } from '../deps.js';
import { checkAskedSelector, understandSelectors, type AskedSelector } from './access-selectors.js';
import { assignPod } from '../core/pod/pod-actions.js';

interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly fieldSelector?: AskedSelector;
  readonly labelSelector?: AskedSelector;
}

interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

const GROUP = 'authorization.k8s.io';
const SPEC = path('spec');
const RESOURCE = SPEC.child('resourceAttributes');
const EXACTLY_ONE = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';

const MAY_SAY_NAMESPACE = 'must be empty except for namespace';

/** Who reviews what, and where: upstream has a check per kind, which differ in these. */
interface Rules {
  readonly namesUser: boolean;
  readonly local: boolean;
}

function checkMetadata(out: FieldError[], object: KubeObject, { local }: Rules): void {
  const { managedFields: _managedFields, namespace, ...given } = object.metadata;
  const some = Object.keys(given).length > 0 || (!local && namespace !== undefined && namespace !== '');
  if (some) out.push(invalid('metadata', object.metadata, local ? MAY_SAY_NAMESPACE : 'must be empty'));
}

function checkReview(object: KubeObject, spec: AccessSpec, rules: Rules): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes } = spec;
  const out = errorList();
  const url = { Path: nonResourceAttributes?.path ?? '', Verb: nonResourceAttributes?.verb ?? '' };
  if (resource !== undefined && nonResourceAttributes !== undefined) {
    const text = 'cannot be specified in combination with resourceAttributes';
    out.push(invalid(SPEC.child('nonResourceAttributes'), url, text));
  }
  if (resource === undefined && nonResourceAttributes === undefined) out.push(invalid(RESOURCE, null, EXACTLY_ONE));
  if (rules.namesUser && !spec.user && (spec.groups ?? []).length === 0)
    out.push(invalid(SPEC.child('user'), '', 'at least one of user or group must be specified'));
  checkAskedSelector(out, RESOURCE.child('fieldSelector'), 'fields', resource?.fieldSelector);
  checkAskedSelector(out, RESOURCE.child('labelSelector'), 'labels', resource?.labelSelector);
  checkMetadata(out, object, rules);
  if (!rules.local) return out;
  const { namespace = '' } = object.metadata;
  if (resource !== undefined && (resource.namespace ?? '') !== namespace)
    out.push(invalid(RESOURCE.child('namespace'), resource.namespace ?? '', 'must match metadata.namespace'));
  if (nonResourceAttributes !== undefined)
    out.push(invalid(SPEC.child('nonResourceAttributes'), url, 'disallowed on this kind of request'));
  return out;
}

const namedUser = (spec: AccessSpec): UserInfo => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid === undefined ? {} : { uid: spec.uid }),
  ...(spec.extra === undefined ? {} : { extra: spec.extra }),
});

/** The answer to any access review. */
async function decide(deps: KindDeps, user: UserInfo, object: KubeObject, spec: AccessSpec): Promise<KubeObject> {
  const { resourceAttributes: resource, nonResourceAttributes: url } = spec;
  const { fields, problems } = understandSelectors(resource?.fieldSelector, resource?.labelSelector);
  const attributes: AccessAttributes =
    resource === undefined
      ? { user, verb: url?.verb ?? '', path: url?.path ?? '' }
      : { user, ...resource, verb: resource.verb ?? '', ...(fields === undefined ? {} : { fields }) };
  const { decision, reason, error } = await deps.authorize(attributes);
  const errors = [...(error === undefined ? [] : [error]), ...problems];
  object['status'] = {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(errors.length === 0 ? {} : { evaluationError: errors.join('; ') }),
  };
  return object;
}

const accessReview = (deps: KindDeps, rules: Rules): Strategy => ({
  async review(ctx, object) {
    const spec = (object['spec'] ?? {}) as AccessSpec;
    const errors = errorsOf(() => checkReview(object, spec, rules));
    // The kind of a decoded object is empty upstream, and so is it in this error.
    if (errors.length > 0) throw invalidError({ group: GROUP, kind: '' }, '', errors);
    return decide(deps, rules.namesUser ? namedUser(spec) : ctx.user, object, spec);
  },
});

/** Kind and version alone, for answers that keep nothing of what was posted. */
const bare = ({ kind, apiVersion }: KubeObject): Pick<KubeObject, 'kind' | 'apiVersion'> => ({
  ...(kind === undefined ? {} : { kind }),
  ...(apiVersion === undefined ? {} : { apiVersion }),
});

const resourceRule = ({ verbs, apiGroups, resources, resourceNames }: PolicyRule): Record<string, unknown> => ({
  verbs,
  ...(apiGroups === undefined ? {} : { apiGroups }),
  ...(resources === undefined ? {} : { resources }),
  ...(resourceNames === undefined || resourceNames.length === 0 ? {} : { resourceNames }),
});

const rulesReview = (deps: KindDeps): Strategy => ({
  async review(ctx, object) {
    const namespace = (object['spec'] as { namespace?: string } | undefined)?.namespace ?? '';
    if (namespace === '') throw badRequestError('no namespace on request');
    const { rules, incomplete, error } = await deps.rulesFor(ctx.user, namespace);
    const isPath = (rule: PolicyRule): boolean => (rule.nonResourceURLs ?? []).length > 0;
    const status = {
      resourceRules: rules.filter(rule => !isPath(rule)).map(resourceRule),
      nonResourceRules: rules.filter(isPath).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete,
      ...(error === undefined ? {} : { evaluationError: error }),
    };
    // The question is not repeated.
    return { ...bare(object), metadata: {}, spec: {}, status };
  },
});

const userInfo = ({ name, uid, groups, extra }: UserInfo): Record<string, unknown> => ({
  ...(name === '' ? {} : { username: name }),
  ...(uid === undefined || uid === '' ? {} : { uid }),
  ...(groups.length === 0 ? {} : { groups }),
  ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
});

const selfReview: Strategy = {
  async review(ctx, object) {
    const metadata = { creationTimestamp: formatTime(ctx.clock.now()) };
    return { ...bare(object), metadata, status: { userInfo: userInfo(ctx.user) } };
  },
};

const tokenReview = (deps: KindDeps): Strategy => ({
  async review(_ctx, object) {
    const { token = '', audiences = [] } = (object['spec'] ?? {}) as { token?: string; audiences?: string[] };
    if (token === '') throw badRequestError('token is required for TokenReview in authentication');
    const result = await deps.authenticateToken(token, audiences);
    if ('user' in result)
      object['status'] = {
        authenticated: true,
        user: userInfo(result.user),
        ...(result.audiences.length === 0 ? {} : { audiences: result.audiences }),
      };
    else object['status'] = { user: {}, ...(result.error === undefined ? {} : { error: result.error }) };
    return object;
  },
});

/** POST .../bindings, the older way to bind a Pod. */
const bindings: Strategy = {
  async review(ctx, object, namespace) {
    const status = await assignPod(ctx, { namespace, name: object.metadata.name ?? '' }, object);
    return status as unknown as KubeObject;
  },
};

/** Kinds that are only posted to. */
export function createReviewStrategies(deps: KindDeps): Record<string, Strategy> {
  return {
    'selfsubjectaccessreviews.authorization.k8s.io': accessReview(deps, { namesUser: false, local: false }),
    'subjectaccessreviews.authorization.k8s.io': accessReview(deps, { namesUser: true, local: false }),
    'localsubjectaccessreviews.authorization.k8s.io': accessReview(deps, { namesUser: true, local: true }),
    'selfsubjectrulesreviews.authorization.k8s.io': rulesReview(deps),
    'selfsubjectreviews.authentication.k8s.io': selfReview,
    'tokenreviews.authentication.k8s.io': tokenReview(deps),
    bindings,
  };
}

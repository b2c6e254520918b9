import { formatTime } from '../../machinery/clock.js';
import { invalid, path, type FieldError } from '../../machinery/field-error.js';
import { badRequestError, invalidError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { RequestContext, Strategy, UserInfo } from '../strategy.js';
import type { AccessAttributes, KindDeps, PolicyRule } from './deps.js';
import { assignPod } from './pod-actions.js';

interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
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
const EXACTLY_ONE = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';

function checkSpec(spec: AccessSpec, kind: string): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const out: FieldError[] = [];
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const { path: url = '', verb = '' } = nonResourceAttributes;
    const text = 'cannot be specified in combination with resourceAttributes';
    out.push(invalid(SPEC.child('nonResourceAttributes'), { Path: url, Verb: verb }, text));
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined)
    out.push(invalid(SPEC.child('resourceAttributes'), null, EXACTLY_ONE));
  if (kind !== 'SelfSubjectAccessReview' && !spec.user && (spec.groups ?? []).length === 0)
    out.push(invalid(SPEC.child('user'), '', 'at least one of user or group must be specified'));
  return out;
}

function attributesOf(user: UserInfo, spec: AccessSpec): AccessAttributes {
  const { resourceAttributes: r, nonResourceAttributes: n } = spec;
  if (r !== undefined) return { user, ...r, verb: r.verb ?? '' };
  return { user, verb: n?.verb ?? '', path: n?.path ?? '' };
}

/** The answer to any access review. */
async function decide(deps: KindDeps, user: UserInfo, object: KubeObject): Promise<KubeObject> {
  const spec = (object['spec'] ?? {}) as AccessSpec;
  const { decision, reason, error } = await deps.authorize(attributesOf(user, spec));
  object['status'] = {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(error === undefined ? {} : { evaluationError: error }),
  };
  return object;
}

const namedUser = (spec: AccessSpec): UserInfo => ({
  name: spec.user ?? '',
  groups: spec.groups ?? [],
  ...(spec.uid === undefined ? {} : { uid: spec.uid }),
  ...(spec.extra === undefined ? {} : { extra: spec.extra }),
});

function accessReview(
  deps: KindDeps,
  kind: string,
  userOf: (ctx: RequestContext, spec: AccessSpec) => UserInfo,
): Strategy {
  return {
    async review(ctx, object) {
      const spec = (object['spec'] ?? {}) as AccessSpec;
      const errors = checkSpec(spec, kind);
      if (errors.length > 0) throw invalidError({ group: GROUP, kind }, '', errors);
      return decide(deps, userOf(ctx, spec), object);
    },
  };
}

function localAccessReview(deps: KindDeps): Strategy {
  const kind = 'LocalSubjectAccessReview';
  return {
    async review(_ctx, object, namespace) {
      const spec = (object['spec'] ?? {}) as AccessSpec;
      const errors = checkSpec(spec, kind);
      if (spec.nonResourceAttributes !== undefined) {
        const { path: url = '', verb = '' } = spec.nonResourceAttributes;
        const at = SPEC.child('nonResourceAttributes');
        errors.push(invalid(at, { Path: url, Verb: verb }, 'disallowed on this kind of request'));
      }
      if (errors.length > 0) throw invalidError({ group: GROUP, kind }, '', errors);
      const asked = spec.resourceAttributes?.namespace ?? '';
      if (asked !== namespace)
        throw badRequestError(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
      return decide(deps, namedUser(spec), object);
    },
  };
}

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
    object['status'] = {
      resourceRules: rules.filter(rule => !isPath(rule)).map(resourceRule),
      nonResourceRules: rules.filter(isPath).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete,
      ...(error === undefined ? {} : { evaluationError: error }),
    };
    return object;
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
    object.metadata = { ...object.metadata, creationTimestamp: formatTime(ctx.clock.now()) };
    object['status'] = { userInfo: userInfo(ctx.user) };
    return object;
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
    'selfsubjectaccessreviews.authorization.k8s.io': accessReview(deps, 'SelfSubjectAccessReview', ctx => ctx.user),
    'subjectaccessreviews.authorization.k8s.io': accessReview(deps, 'SubjectAccessReview', (_ctx, spec) =>
      namedUser(spec),
    ),
    'localsubjectaccessreviews.authorization.k8s.io': localAccessReview(deps),
    'selfsubjectrulesreviews.authorization.k8s.io': rulesReview(deps),
    'selfsubjectreviews.authentication.k8s.io': selfReview,
    'tokenreviews.authentication.k8s.io': tokenReview(deps),
    bindings,
  };
}

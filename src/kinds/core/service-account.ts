import { errorList, invalid, path } from '../../machinery/field-error.js';
import { formatTime } from '../../machinery/clock.js';
import { badRequestError, conflictError, invalidError, notFoundError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, ObjectKey, Pod, ServiceAccount } from '../../machinery/types.js';
import type { RequestContext, Strategy } from '../../api/strategy.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { KindDeps, TokenClaims } from '../deps.js';

interface TokenRequestSpec {
  audiences?: string[] | null;
  expirationSeconds?: number;
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } | null;
}
type BoundObject = NonNullable<TokenRequestSpec['boundObjectRef']>;

const TOKEN_REQUEST = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
const ISSUED_ID = 'authentication.kubernetes.io/issued-credential-id';
const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;

function checkSpec(spec: TokenRequestSpec): void {
  const at = path('spec', 'expirationSeconds');
  const seconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  const errors = errorList();
  if (seconds < MIN_SECONDS) errors.push(invalid(at, seconds, 'may not specify a duration less than 10 minutes'));
  if (seconds > 2 ** 32) errors.push(invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
  if (errors.length > 0) throw invalidError(TOKEN_REQUEST, '', errors);
}

/** schema.GroupVersionKind.String(): "/v1, Kind=Pod". */
function kindText({ apiVersion = '', kind = '' }: BoundObject): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

const BOUND_KINDS: Readonly<Record<string, 'pods' | 'secrets' | 'nodes'>> = {
  Pod: 'pods',
  Secret: 'secrets',
  Node: 'nodes',
};

function checkUid(ref: BoundObject, uid: string): void {
  if (!ref.uid || ref.uid === uid) return;
  const text = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  throw conflictError({ group: '', resource: ref.kind ?? '' }, ref.name ?? '', text);
}

type Bound = Pick<TokenClaims, 'pod' | 'node' | 'secret'>;

/** The object that the token dies with. @throws StatusError */
function resolveBound(ctx: RequestContext, account: DeepReadonly<KubeObject>, ref: BoundObject): Bound {
  // Upstream looks at the group alone, and what it cannot read has none.
  const named = /^[^/]+\/[^/]*$/.test(ref.apiVersion ?? '');
  const resource = named ? undefined : BOUND_KINDS[ref.kind ?? ''];
  if (resource === undefined) throw badRequestError(`cannot bind token to object of type ${kindText(ref)}`);
  const name = ref.name ?? '';
  if (name === '') throw badRequestError('Name parameter required.');
  const namespace = resource === 'nodes' ? '' : (account.metadata.namespace ?? '');
  const object = ctx.objects.get(resource, { namespace, name });
  if (object === undefined) throw notFoundError({ group: '', resource }, name);
  const uid = object.metadata.uid ?? '';
  if (resource === 'pods') {
    const pod = object as DeepReadonly<Pod>;
    const owner = account.metadata.name ?? '';
    if (pod.spec?.serviceAccountName !== owner)
      throw badRequestError(
        `cannot bind token for serviceaccount ${JSON.stringify(owner)} to pod running with different serviceaccount name.`,
      );
    checkUid(ref, uid);
    const node = pod.spec.nodeName;
    const nodeUid = node ? ctx.objects.get('nodes', { namespace: '', name: node })?.metadata.uid : undefined;
    return {
      pod: { name, uid },
      ...(node ? { node: { name: node, ...(nodeUid === undefined ? {} : { uid: nodeUid }) } } : {}),
    };
  }
  checkUid(ref, uid);
  return resource === 'secrets' ? { secret: { name, uid } } : { node: { name, uid } };
}

/** Whether a request is for the account that its path names. @throws StatusError */
function checkedAccount(ctx: RequestContext, key: ObjectKey, body: KubeObject | undefined): DeepReadonly<KubeObject> {
  const account = ctx.objects.get('serviceaccounts', key);
  const { name = '', namespace = '' } = body?.metadata ?? {};
  if (name !== '' && name !== key.name) {
    const text = 'must match the service account name if specified';
    throw invalidError(TOKEN_REQUEST, key.name, [invalid(path('metadata', 'name'), name, text)]);
  }
  if (namespace !== '' && namespace !== key.namespace)
    throw badRequestError('the namespace of the provided object does not match the namespace sent on the request');
  if (account === undefined) throw notFoundError({ group: '', resource: 'serviceaccounts' }, key.name);
  const uid = account.metadata.uid ?? '';
  const asked = body?.metadata.uid ?? '';
  if (asked !== '' && asked !== uid) {
    const text = `the UID in the token request (${asked}) does not match the UID of the service account (${uid})`;
    throw conflictError({ group: TOKEN_REQUEST.group, resource: TOKEN_REQUEST.kind }, key.name, text);
  }
  return account;
}

const audiencesOf = (deps: KindDeps, { audiences }: TokenRequestSpec): string[] =>
  audiences && audiences.length > 0 ? audiences : [...deps.apiAudiences];

/** Mutates: whose token it will be, and for whom. @throws StatusError */
function prepareToken(deps: KindDeps, ctx: RequestContext, key: ObjectKey, body: KubeObject): void {
  const { uid } = checkedAccount(ctx, key, body).metadata;
  const creationTimestamp = formatTime(ctx.clock.now());
  Object.assign(body.metadata, { ...key, ...(uid === undefined ? {} : { uid }), creationTimestamp });
  const spec = (body['spec'] ??= {}) as TokenRequestSpec;
  spec.audiences = audiencesOf(deps, spec);
}

async function createToken(
  deps: KindDeps,
  ctx: RequestContext,
  key: ObjectKey,
  body: KubeObject | undefined,
): Promise<KubeObject> {
  const account = checkedAccount(ctx, key, body);
  const uid = account.metadata.uid ?? '';
  const spec = { ...(body?.['spec'] as TokenRequestSpec | undefined) };
  const audiences = audiencesOf(deps, spec);
  checkSpec(spec);
  const expirationSeconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  const ref = spec.boundObjectRef ?? undefined;
  const bound = ref === undefined ? {} : resolveBound(ctx, account, ref);
  const issued = await deps.issueToken({ ...key, uid, audiences, expirationSeconds, ...bound });
  if (issued.id !== undefined) ctx.annotate?.(ISSUED_ID, issued.id);
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      ...body?.metadata,
      name: key.name,
      namespace: key.namespace,
      uid,
      creationTimestamp: formatTime(ctx.clock.now()),
    },
    spec: { audiences, expirationSeconds, boundObjectRef: ref ?? null },
    status: { token: issued.token, expirationTimestamp: formatTime(issued.expiresMs) },
  };
}

/** A Secret of an account is named, nothing else is said of it. Mutates. */
function cleanSecrets(account: ServiceAccount): void {
  if (account.secrets !== undefined)
    account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}

export const createServiceAccountStrategy = (deps: KindDeps): Strategy<ServiceAccount> => ({
  prepareForCreate: (_ctx, account) => {
    cleanSecrets(account);
  },
  prepareForUpdate: (_ctx, account) => {
    cleanSecrets(account);
  },
  validateUpdate(_ctx, account) {
    const out = errorList();
    checkMetadataAgain(out, account, { namespaced: true, name: nameIsDnsSubdomain });
    return out;
  },
  subresources: {
    token: {
      kind: 'action',
      default(body) {
        const spec = (body['spec'] ??= {}) as TokenRequestSpec;
        spec.expirationSeconds ??= DEFAULT_SECONDS;
      },
      prepare: (ctx, key, body) => prepareToken(deps, ctx, key, body),
      create: async (ctx, key, body) => ({ object: await createToken(deps, ctx, key, body) }),
    },
  },
});

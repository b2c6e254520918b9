import { dynValue } from '../../../machinery/cel/adapt/json.js';
import type { Activation } from '../../../machinery/cel/compile.js';
import { authorizerValue, resourceCheckValue, type Authorize } from '../../../machinery/cel/libraries/authorizer.js';
import type { DeepReadonly, GroupVersionKind, JsonObject, KubeObject } from '../../../machinery/types.js';
import type { UserInfo } from '../../../api/strategy.js';
import type { Authorizer } from '../../auth/authorizer.js';
import { serviceAccountGroups, serviceAccountUser } from '../../auth/user.js';
import type { Attributes } from '../matching/attributes.js';
import type { Match } from '../matching/match.js';

/** What the expressions of a policy or a webhook are about. */
export interface ExpressionInput {
  readonly asked: Attributes;
  readonly match: Match;
  readonly object: DeepReadonly<KubeObject> | undefined;
  readonly old: DeepReadonly<KubeObject> | undefined;
  readonly params?: DeepReadonly<KubeObject>;
  /** That the request is in; undefined: it is in none, or expressions are not told. */
  readonly namespace?: DeepReadonly<KubeObject>;
}

const kindOf = ({ group, version, kind }: GroupVersionKind): JsonObject => ({ group, version, kind });

const userOf = ({ name, uid = '', groups, extra = {} }: UserInfo): JsonObject => ({
  ...(name === '' ? {} : { username: name }),
  ...(uid === '' ? {} : { uid }),
  ...(groups.length === 0 ? {} : { groups }),
  ...(Object.keys(extra).length === 0 ? {} : { extra }),
});

/** As Go encodes it: what is empty is left out. */
const requestOf = ({ asked, match }: ExpressionInput): JsonObject => ({
  kind: kindOf(match.kind),
  resource: { ...match.resource },
  ...(asked.subresource === '' ? {} : { subResource: asked.subresource, requestSubResource: asked.subresource }),
  requestKind: kindOf(asked.kind),
  requestResource: { ...asked.resource },
  ...(asked.name === '' ? {} : { name: asked.name }),
  ...(asked.namespace === '' ? {} : { namespace: asked.namespace }),
  operation: asked.operation,
  userInfo: userOf(asked.user),
  dryRun: asked.dryRun,
  options: asked.options ?? null,
});

const SHOWN = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'finalizers',
] as const;

/** Without what expressions are not told of. */
function namespaceOf({ metadata, ...rest }: DeepReadonly<KubeObject>): JsonObject {
  const { spec = {}, status = {} } = rest as { readonly spec?: JsonObject; readonly status?: JsonObject };
  const shown = SHOWN.flatMap(name => (metadata[name] === undefined ? [] : [[name, metadata[name]] as const]));
  return { metadata: Object.fromEntries(shown), spec, status };
}

/** Asks the server's authorizer on behalf of who sent the request, or of a service account. */
export const authorizeAs =
  (authorizer: Authorizer, user: UserInfo): Authorize =>
  ({ verb, subject, serviceAccount: account }) => {
    const who =
      account === undefined
        ? user
        : {
            name: serviceAccountUser(account.namespace, account.name),
            groups: serviceAccountGroups(account.namespace),
          };
    const none = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '', path: '' };
    const { decision, reason } = authorizer.authorize(
      subject.kind === 'path'
        ? { ...none, user: who, verb, isResource: false, path: subject.path }
        : {
            ...none,
            user: who,
            verb,
            isResource: true,
            group: subject.group,
            version: '*',
            resource: subject.resource,
            subresource: subject.subresource,
            namespace: subject.namespace,
            name: subject.name,
            ...(subject.fields === undefined ? {} : { fields: subject.fields }),
          },
    );
    return { allowed: decision === 'allow', reason };
  };

/** Values of all that an expression may name; of `authorizer` only where there is one to ask. */
export function activationOf(input: ExpressionInput, authorizer: Authorizer | undefined): Activation {
  const { asked, object, old, params, namespace } = input;
  const authorize = authorizer === undefined ? undefined : authorizeAs(authorizer, asked.user);
  return {
    object: dynValue(object),
    oldObject: dynValue(old),
    params: dynValue(params),
    request: dynValue(requestOf(input)),
    namespaceObject: namespace === undefined ? null : dynValue(namespaceOf(namespace)),
    ...(authorize === undefined
      ? {}
      : {
          authorizer: authorizerValue(authorize),
          'authorizer.requestResource': resourceCheckValue(authorize, {
            group: asked.resource.group,
            resource: asked.resource.resource,
            subresource: asked.subresource,
            namespace: asked.namespace,
            name: asked.name,
          }),
        }),
  };
}

import type { UserInfo } from '../../api/strategy.js';
import type { RequestInfo } from '../pipeline/request-info.js';
import type { FlowSchema } from './types.js';

type Rules = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type Subject = Rules['subjects'][number];
type ResourceRule = NonNullable<Rules['resourceRules']>[number];
type NonResourceRule = NonNullable<Rules['nonResourceRules']>[number];

export type Matcher = (info: RequestInfo, user: UserInfo) => boolean;

/** A wildcard stands alone, or it is no wildcard; validation sees to that. */
const wanted = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && ((list.length === 1 && list[0] === '*') || list.includes(value));

const ACCOUNT_PREFIX = 'system:serviceaccount:';

function matchesSubject({ kind, user: one, group, serviceAccount }: Subject, user: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return one !== undefined && (one.name === '*' || one.name === user.name);
    case 'Group':
      return group !== undefined && (group.name === '*' || (user.groups ?? []).includes(group.name));
    case 'ServiceAccount': {
      if (serviceAccount === undefined) return false;
      const prefix = `${ACCOUNT_PREFIX}${serviceAccount.namespace}:`;
      return serviceAccount.name === '*' ? user.name.startsWith(prefix) : user.name === prefix + serviceAccount.name;
    }
    default:
      return false;
  }
}

function matchesResource(rule: ResourceRule, info: RequestInfo): boolean {
  if (!wanted(rule.verbs, info.verb) || !wanted(rule.apiGroups, info.group)) return false;
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  if (!wanted(rule.resources, resource)) return false;
  return info.namespace === '' ? rule.clusterScope === true : wanted(rule.namespaces, info.namespace);
}

/** "/healthz" is also "/healthz/ping", and so is "/healthz/*". */
function matchesUrl(url: string, path: string): boolean {
  if (url === '*' || url === path) return true;
  const prefix = url.endsWith('*') ? url.slice(0, -1) : url;
  return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

const matchesOther = ({ verbs, nonResourceURLs }: NonResourceRule, { verb, path }: RequestInfo): boolean =>
  wanted(verbs, verb) && nonResourceURLs.some(url => matchesUrl(url, path));

/** Whether a request is one of a schema's (k8s.io/apiserver pkg/util/flowcontrol/rule.go). */
export function matcherOf({ spec }: FlowSchema): Matcher {
  const rules = spec?.rules ?? [];
  return (info, user) =>
    rules.some(
      ({ subjects, resourceRules, nonResourceRules }) =>
        subjects.some(subject => matchesSubject(subject, user)) &&
        (info.isResource
          ? (resourceRules ?? []).some(rule => matchesResource(rule, info))
          : (nonResourceRules ?? []).some(rule => matchesOther(rule, info))),
    );
}

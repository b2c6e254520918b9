import type { UserInfo } from '../../api/strategy.js';

export const ANONYMOUS = 'system:anonymous';
export const AUTHENTICATED = 'system:authenticated';
export const UNAUTHENTICATED = 'system:unauthenticated';
/** Key in UserInfo.extra that says which credential was shown. */
export const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';

export const anonymousUser: UserInfo = { name: ANONYMOUS, groups: [UNAUTHENTICATED] };

/** Adds system:authenticated (k8s.io/apiserver pkg/authentication/group). */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.name === ANONYMOUS || user.groups.includes(AUTHENTICATED) || user.groups.includes(UNAUTHENTICATED)) {
    return user;
  }
  return { ...user, groups: [...user.groups, AUTHENTICATED] };
}

const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

export const serviceAccountUser = (namespace: string, name: string): string =>
  `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`;

export const serviceAccountGroups = (namespace: string): string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
];

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The account that a user name stands for; undefined: none (k8s.io/apiserver serviceaccount.SplitUsername). */
export function splitServiceAccountUser(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(SERVICE_ACCOUNT_PREFIX)) return undefined;
  const [namespace = '', name = '', ...rest] = user.slice(SERVICE_ACCOUNT_PREFIX.length).split(':');
  if (rest.length > 0 || !LABEL.test(namespace) || name.length > 253 || !SUBDOMAIN.test(name)) return undefined;
  return { namespace, name };
}

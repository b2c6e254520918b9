import type { IncomingMessage } from 'node:http';
import { badRequestError } from '../../machinery/status.js';
import type { UserInfo } from '../../api/strategy.js';
import type { Attributes, Authorizer } from './authorizer.js';
import { notAllowedError } from './forbidden.js';
import {
  ANONYMOUS,
  AUTHENTICATED,
  serviceAccountGroups,
  serviceAccountUser,
  splitServiceAccountUser,
  UNAUTHENTICATED,
} from './user.js';

const EXTRA_PREFIX = 'impersonate-extra-';
const AUTHENTICATION_GROUP = 'authentication.k8s.io';

/** One thing that the client wants to be; each must be allowed. */
interface Wanted {
  readonly kind: 'ServiceAccount' | 'User' | 'Group' | 'UserExtra' | 'UID';
  readonly namespace: string;
  readonly name: string;
  /** The key of a UserExtra. */
  readonly key: string;
}

const wanted = (kind: Wanted['kind'], name: string, more: { namespace?: string; key?: string } = {}): Wanted => ({
  kind,
  name,
  namespace: more.namespace ?? '',
  key: more.key ?? '',
});

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key; // kept as it came, as upstream does
  }
}

/** A header's values one by one, in order; Node joins repeated headers with commas, which values may hold, too. */
function* headersOf(request: Pick<IncomingMessage, 'rawHeaders'>): Generator<[name: string, value: string]> {
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (name.startsWith('impersonate-')) yield [name, rawHeaders[i + 1] ?? ''];
  }
}

/** As Go prints a slice of corev1.ObjectReference. */
const printWanted = (all: readonly Wanted[]): string =>
  `[${all
    .map(w => {
      const version = w.kind === 'UserExtra' || w.kind === 'UID' ? `${AUTHENTICATION_GROUP}/v1` : '';
      return `{${[w.kind, w.namespace, w.name, '', version, '', w.key].join(' ')}}`;
    })
    .join(' ')}]`;

function readHeaders(request: Pick<IncomingMessage, 'rawHeaders'>): Wanted[] {
  const users: Wanted[] = [];
  const groups: Wanted[] = [];
  const extras: Wanted[] = [];
  const uids: Wanted[] = [];
  for (const [name, value] of headersOf(request)) {
    if (name === 'impersonate-user') {
      if (value === '' || users.length > 0) continue;
      const account = splitServiceAccountUser(value);
      users.push(
        account === undefined
          ? wanted('User', value)
          : wanted('ServiceAccount', account.name, { namespace: account.namespace }),
      );
    } else if (name === 'impersonate-group') groups.push(wanted('Group', value));
    else if (name === 'impersonate-uid') {
      if (value !== '' && uids.length === 0) uids.push(wanted('UID', value));
    } else if (name.startsWith(EXTRA_PREFIX)) {
      extras.push(wanted('UserExtra', value, { key: unescapeKey(name.slice(EXTRA_PREFIX.length)) }));
    }
  }
  const all = [...users, ...groups, ...extras, ...uids];
  if (users.length === 0 && all.length > 0) {
    throw badRequestError(`requested ${printWanted(all)} without impersonating a user`);
  }
  return all;
}

const RESOURCES: Readonly<Record<Wanted['kind'], string>> = {
  ServiceAccount: 'serviceaccounts',
  User: 'users',
  Group: 'groups',
  UserExtra: 'userextras',
  UID: 'uids',
};

const attributesOf = (user: UserInfo, w: Wanted): Attributes => {
  const authentication = w.kind === 'UserExtra' || w.kind === 'UID';
  return {
    user,
    verb: 'impersonate',
    isResource: true,
    group: authentication ? AUTHENTICATION_GROUP : '',
    version: authentication ? 'v1' : '',
    resource: RESOURCES[w.kind],
    subresource: w.kind === 'UserExtra' ? w.key : '',
    namespace: w.namespace,
    name: w.name,
    path: '',
  };
};

/**
 * The user that the request's Impersonate headers ask to be, if `user` may be each part of it; undefined when there are
 * none (k8s.io/apiserver pkg/endpoints/filters/impersonation).
 * @throws StatusError 400, 403
 */
export function impersonate(
  authorizer: Authorizer,
  request: Pick<IncomingMessage, 'rawHeaders'>,
  user: UserInfo,
): UserInfo | undefined {
  const all = readHeaders(request);
  if (all.length === 0) return undefined;
  const groupsGiven = all.some(w => w.kind === 'Group');
  let name = '';
  let uid: string | undefined;
  let groups: string[] = [];
  const extra: Record<string, string[]> = {};
  for (const w of all) {
    const attributes = attributesOf(user, w);
    const { decision, reason } = authorizer.authorize(attributes);
    if (decision !== 'allow') throw notAllowedError(attributes, reason);
    switch (w.kind) {
      case 'ServiceAccount':
        name = serviceAccountUser(w.namespace, w.name);
        if (!groupsGiven) groups = serviceAccountGroups(w.namespace);
        break;
      case 'User':
        name = w.name;
        break;
      case 'Group':
        groups.push(w.name);
        break;
      case 'UserExtra':
        (extra[w.key] ??= []).push(w.name);
        break;
      case 'UID':
        uid = w.name;
        break;
    }
  }
  if (name === ANONYMOUS) {
    if (!groups.includes(UNAUTHENTICATED)) groups.push(UNAUTHENTICATED);
  } else if (!groups.includes(AUTHENTICATED) && !groups.includes(UNAUTHENTICATED)) groups.push(AUTHENTICATED);
  return {
    name,
    groups,
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

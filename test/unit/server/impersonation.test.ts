import t from 'tap';
import type { UserInfo } from '../../../src/api/strategy.js';
import { privilegedGroup, unionAuthorizer } from '../../../src/server/auth/authorizer.js';
import { impersonate } from '../../../src/server/auth/impersonation.js';
import { createRbacAuthorizer } from '../../../src/server/auth/rbac/rbac-authorizer.js';
import { createRuleResolver } from '../../../src/server/auth/rbac/rule-resolver.js';
import { splitServiceAccountUser } from '../../../src/server/auth/user.js';
import { objectsOf, user, role, bind, person } from '../../support/auth.js';

t.jobs = 1;

t.test('impersonation', t => {
  const authorizer = unionAuthorizer([
    privilegedGroup,
    createRbacAuthorizer(
      createRuleResolver(
        objectsOf([
          role('imp', [
            { verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['jane'] },
            { verbs: ['impersonate'], apiGroups: ['authentication.k8s.io'], resources: ['userextras/scopes'] },
          ]),
          bind('imp', { kind: 'ClusterRole', name: 'imp' }, [person('helper')]),
        ]),
      ),
    ),
  ]);
  const root = user('root', 'system:masters');
  const helper = user('helper');
  const bad = (message: string): { code: number; message: string } => ({ code: 400, message });
  const no = (message: string): { code: number; message: string } => ({ code: 403, message });
  const cases: { name: string; who?: UserInfo; headers: string[]; expect: unknown }[] = [
    { name: 'none', headers: ['Accept', '*/*'], expect: undefined },
    { name: 'user', headers: ['Impersonate-User', 'jane'], expect: user('jane') },
    {
      name: 'groups as given, in any case of the header',
      headers: ['Impersonate-User', 'jane', 'impersonate-group', 'dev', 'Impersonate-Group', 'a,b'],
      expect: user('jane', 'dev', 'a,b'),
    },
    {
      name: 'a group that says who is unauthenticated',
      headers: ['Impersonate-User', 'jane', 'Impersonate-Group', 'system:unauthenticated'],
      expect: { name: 'jane', groups: ['system:unauthenticated'] },
    },
    {
      name: 'anonymous',
      headers: ['Impersonate-User', 'system:anonymous'],
      expect: { name: 'system:anonymous', groups: ['system:unauthenticated'] },
    },
    {
      name: 'service account brings its groups',
      headers: ['Impersonate-User', 'system:serviceaccount:ns:robot'],
      expect: user('system:serviceaccount:ns:robot', 'system:serviceaccounts', 'system:serviceaccounts:ns'),
    },
    {
      name: 'service account with groups given',
      headers: ['Impersonate-User', 'system:serviceaccount:ns:robot', 'Impersonate-Group', 'x'],
      expect: user('system:serviceaccount:ns:robot', 'x'),
    },
    {
      name: 'uid and extra',
      headers: ['Impersonate-User', 'jane', 'Impersonate-Uid', 'u1', 'Impersonate-Extra-Acme.com%2FProject', 'p'],
      expect: { ...user('jane'), uid: 'u1', extra: { 'acme.com/project': ['p'] } },
    },
    {
      name: 'group without user',
      headers: ['Impersonate-Group', 'dev'],
      expect: bad('requested [{Group  dev    }] without impersonating a user'),
    },
    {
      name: 'uid without user',
      headers: ['Impersonate-Uid', 'u'],
      expect: bad('requested [{UID  u  authentication.k8s.io/v1  }] without impersonating a user'),
    },
    { name: 'allowed by RBAC', who: helper, headers: ['Impersonate-User', 'jane'], expect: user('jane') },
    {
      name: 'extra allowed by RBAC',
      who: helper,
      headers: ['Impersonate-User', 'jane', 'Impersonate-Extra-Scopes', 'view'],
      expect: { ...user('jane'), extra: { scopes: ['view'] } },
    },
    {
      name: 'user not allowed',
      who: helper,
      headers: ['Impersonate-User', 'bob'],
      expect: no(
        'users "bob" is forbidden: User "helper" cannot impersonate resource "users" in API group "" at the cluster scope',
      ),
    },
    {
      name: 'group not allowed',
      who: helper,
      headers: ['Impersonate-User', 'jane', 'Impersonate-Group', 'system:masters'],
      expect: no(
        'groups "system:masters" is forbidden: User "helper" cannot impersonate resource "groups" in API group "" at the cluster scope',
      ),
    },
    {
      name: 'service account not allowed',
      who: helper,
      headers: ['Impersonate-User', 'system:serviceaccount:ns:robot'],
      expect: no(
        'serviceaccounts "robot" is forbidden: User "helper" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "ns"',
      ),
    },
    {
      name: 'extra not allowed',
      who: helper,
      headers: ['Impersonate-User', 'jane', 'Impersonate-Extra-Other', 'v'],
      expect: no(
        'userextras.authentication.k8s.io "v" is forbidden: User "helper" cannot impersonate resource "userextras/other" in API group "authentication.k8s.io" at the cluster scope',
      ),
    },
  ];
  for (const c of cases) {
    const run = (): unknown => impersonate(authorizer, { rawHeaders: c.headers }, c.who ?? root);
    const error = c.expect as { code?: number } | undefined;
    if (error?.code !== undefined) t.throws(run, c.expect as { code: number; message: string }, c.name);
    else t.same(run(), c.expect, c.name);
  }
  t.same(splitServiceAccountUser('system:serviceaccount:ns:a.b'), { namespace: 'ns', name: 'a.b' });
  for (const name of ['system:serviceaccount:ns', 'system:serviceaccount:ns:a:b', 'system:serviceaccount:N:a', 'x'])
    t.equal(splitServiceAccountUser(name), undefined, name);
  t.end();
});

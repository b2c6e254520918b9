import type { NetworkPolicy } from '../../src/dataplane/policies/types.js';
import { namespaceObject, podObject } from './policies.js';

/* Two namespaces on the nodes "here" and "there", for tables of packets. */

export const WEB = '10.244.1.2';
export const WEB6 = 'fd00:10:244:1::2';
export const CLIENT = '10.244.1.3';
export const CLIENT6 = 'fd00:10:244:1::3';
export const OTHER = '10.244.2.4';
export const DB = '10.244.2.5';
export const NODE = '172.18.0.2';
export const HOST_POD = '172.18.0.3';

export const namespaces = [namespaceObject('shop', { team: 'a' }), namespaceObject('ops', { team: 'b' })];
export const pods = [
  podObject('shop/web', [WEB, WEB6], {
    labels: { app: 'web' },
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'both', containerPort: 53 },
      { name: 'assoc', containerPort: 9000, protocol: 'SCTP' },
    ],
  }),
  podObject('shop/client', [CLIENT, CLIENT6], { labels: { app: 'client', tier: 'front' } }),
  podObject('ops/other', [OTHER], { labels: { app: 'client' }, node: 'there' }),
  podObject('ops/db', [DB], { labels: { app: 'db' }, node: 'there', ports: [{ name: 'sql', containerPort: 5432 }] }),
  podObject('shop/host', [HOST_POD], { labels: { app: 'web' }, hostNetwork: true }),
  // Its address is another's by now.
  podObject('ops/done', [WEB], { labels: { app: 'job' }, phase: 'Succeeded' }),
];
export type Spec = NonNullable<NetworkPolicy['spec']>;

export const web = { matchLabels: { app: 'web' } };
/** Who may reach "web". */
export const fromPeers = (...from: NonNullable<NonNullable<Spec['ingress']>[number]['from']>): Spec => ({
  podSelector: web,
  policyTypes: ['Ingress'],
  ingress: [{ from }],
});
/** A packet that policies of "web" are about. */
export const TO_WEB = `tcp ${CLIENT} ${WEB} 80`;
export const ALLOWED = 'ingress allowed by shop/p 1';
export const DENIED = 'ingress denied by shop/p';

import type { KubeObject } from '../../src/machinery/types.js';
import { NOW } from './kinds.js';

export const UID = '11111111-1111-4111-8111-111111111111';

export const STARTED = new Date(NOW - 90_000).toISOString();

export const object = (kind: string, spec: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'a', namespace: 'ns', uid: UID, creationTimestamp: STARTED },
  spec,
});

export const template = (spec: object = {}, labels: object = { app: 'a' }): object => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
});

export type Fields = Record<string, unknown>;

export const set =
  (field: string, value: unknown) =>
  (changed: KubeObject): void => {
    (changed['spec'] as Fields)[field] = value;
  };

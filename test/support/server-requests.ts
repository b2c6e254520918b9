import type { Test } from 'tap';
import type { KubeObject } from '../../src/machinery/types.js';
import { startFakeApi, type FakeApi } from './fake-api.js';

export const CONFIGMAPS = '/api/v1/namespaces/d/configmaps';

export const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  metadata: { name },
  data,
});

export async function withApi(t: Test, options?: Parameters<typeof startFakeApi>[0]): Promise<FakeApi> {
  const api = await startFakeApi(options);
  t.teardown(() => api.close());
  return api;
}

export const status = (code: number, reason: string | undefined, message: string, details?: object): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  ...(reason === undefined ? {} : { reason }),
  ...(details === undefined ? {} : { details }),
  code,
});

export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

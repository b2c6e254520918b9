import { StatusError } from '../../src/machinery/status.js';
import type { KubeObject } from '../../src/machinery/types.js';
import type { DeleteOptions } from '../../src/api/strategy.js';
import type { PatchRequest } from '../../src/server/registry/types.js';
import { given } from './steps.js';

/** The namespace that tests of a registry write in. */
export const NS = 'ns';
export const key = (name: string): { namespace: string; name: string } => ({ namespace: NS, name });
export const NOW: DeleteOptions = { dryRun: false };

export const configMap = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});

/** What refused it. @throws Error when nothing did */
export async function failure(promise: Promise<unknown>): Promise<StatusError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('did not fail');
}

export const patch = (type: PatchRequest['type'], body: unknown, force = false): PatchRequest => ({
  type,
  decode: () => given({ patch: body, duplicateKeys: [] }),
  raw: Buffer.from(JSON.stringify(body)),
  force,
});

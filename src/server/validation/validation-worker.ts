import { isMainThread, parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { isStatusError, type Status } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { createCatalog } from '../../api/create-catalog.js';
import { createStrategies } from '../../kinds/index.js';
import { check } from './check.js';

/** This module is what the thread runs, and the thread's owner has to find it in a bundle whose names are hashes. */
export const WORKER_URL = new URL(import.meta.url);
export const WORKER_DATA = 'kubette validation';

/** Objects come as JSON text, which crosses the threads for the price of a copy. */
export interface Question {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly subresource: string;
  readonly partly: boolean;
  readonly object: string;
  readonly old: string | undefined;
  readonly namespace: string | undefined;
}

/** `status` is JSON text. `failure`: a mistake of ours. */
export type Reply = { readonly warnings: string[] } | { readonly status: string } | { readonly failure: string };

const noServer = (): never => {
  throw new Error('a validator knows nothing but the object');
};

function serve(port: MessagePort): void {
  const strategies = createStrategies({
    // Values are handed out elsewhere; strategies want to know from where all the same.
    serviceCidrs: ['10.96.0.0/16'],
    nodePortRange: { first: 30000, last: 32767 },
    random: noServer,
    uuid: noServer,
    authorize: noServer,
    rulesFor: noServer,
    authenticateToken: noServer,
    issueToken: noServer,
    apiAudiences: [],
  });
  const catalog = createCatalog(strategies);
  const read = (text: string): DeepReadonly<KubeObject> => JSON.parse(text) as KubeObject;

  const answer = (question: Question): Reply => {
    const { group, version, plural, subresource, partly, object, old, namespace } = question;
    const entry = catalog.find(group, version, plural);
    if (entry === undefined) return { failure: `no resource ${plural} in ${group}/${version}` };
    const ctx = { namespace: () => (namespace === undefined ? undefined : read(namespace)) };
    try {
      const write = { subresource, partly, object: read(object), old: old === undefined ? undefined : read(old) };
      return { warnings: check(entry, ctx, write) };
    } catch (error) {
      if (isStatusError(error)) return { status: JSON.stringify(error.status satisfies Status) };
      return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  port.on('message', (question: Question) => port.postMessage(answer(question)));
}

if (!isMainThread && parentPort !== null && workerData === WORKER_DATA) serve(parentPort);

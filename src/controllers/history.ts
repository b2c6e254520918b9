import type { Indexer, ResourceClient } from '../client/types.js';
import { escapeHtmlInJson } from '../machinery/go-text.js';
import type { Selector } from '../machinery/labels.js';
import { isStatusError } from '../machinery/status.js';
import type { ControllerRevision, DeepReadonly, JsonObject, KubeObject, OwnerReference } from '../machinery/types.js';
import { canonicalJson, safeEncode } from './deployment/hash.js';
import { claim, controllerOf, ownedOrOrphaned } from './ownership.js';

/** Versions of a template, kept as ControllerRevisions (pkg/controller/history). */
export type Revision = DeepReadonly<ControllerRevision>;

const HASH_LABEL = 'controller.kubernetes.io/hash';
const MAX_PREFIX = 223;

/** Go's JSON of the data: sorted keys, and the characters that mean something in HTML escaped. */
const dataText = (data: unknown): string => escapeHtmlInJson(canonicalJson(data));

/** FNV-1 over the data and the probe's digits, in letters that make no words (HashControllerRevision). */
export function hashRevision(data: unknown, probe: number): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(dataText(data) + String(probe))) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return safeEncode(String(hash));
}

/**
 * The patch that brings an object back to this template: what is stored as a revision's data. Its keys are sorted, for
 * clients compare the bytes with those that Go makes of a map ("kubectl rollout undo" to the template that is there).
 */
export const templatePatch = (template: unknown): JsonObject =>
  JSON.parse(canonicalJson({ spec: { template: { ...(template as JsonObject), $patch: 'replace' } } })) as JsonObject;

export const sameData = (a: Revision, b: Revision): boolean => canonicalJson(a['data']) === canonicalJson(b['data']);

/** Oldest first. */
export const sortRevisions = (revisions: Iterable<Revision>): Revision[] =>
  [...revisions].sort(
    (a, b) =>
      a.revision - b.revision ||
      compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
      compare(a.metadata.name ?? '', b.metadata.name ?? ''),
  );

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const nextRevision = (sorted: readonly Revision[]): number => (sorted.at(-1)?.revision ?? 0) + 1;

/** The owner's revisions, with orphans of the same labels adopted, oldest first. */
export async function ownRevisions(
  owner: DeepReadonly<KubeObject>,
  reference: OwnerReference,
  selector: Selector,
  revisions: Indexer<ControllerRevision>,
  client: ResourceClient<ControllerRevision>,
): Promise<Revision[]> {
  const candidates = ownedOrOrphaned(revisions, owner).filter(revision => selector.matches(revision.metadata.labels));
  return sortRevisions(await claim<ControllerRevision>(owner, reference, candidates, selector, client));
}

export interface NewRevision {
  readonly owner: DeepReadonly<KubeObject>;
  readonly reference: OwnerReference;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly data: JsonObject;
  readonly revision: number;
}

/**
 * Creates a revision named after its data's hash. A name that other data has taken raises the collision count and is
 * tried again; one with equal data is the revision wanted.
 */
export async function createRevision(
  wanted: NewRevision,
  collisionCount: number,
  client: ResourceClient<ControllerRevision>,
): Promise<{ revision: Revision; collisionCount: number }> {
  const { owner, reference, labels, data, revision } = wanted;
  for (let count = collisionCount; ; count++) {
    const hash = hashRevision(data, count);
    const draft = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${(owner.metadata.name ?? '').slice(0, MAX_PREFIX)}-${hash}`,
        namespace: owner.metadata.namespace ?? '',
        labels: { ...labels, [HASH_LABEL]: hash },
        ...(owner.metadata.annotations === undefined ? {} : { annotations: owner.metadata.annotations }),
        ownerReferences: [reference],
      },
      data,
      revision,
    } as unknown as ControllerRevision;
    try {
      return { revision: await client.create(draft.metadata.namespace ?? '', draft), collisionCount: count };
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
      const existing = await client.get({ namespace: draft.metadata.namespace ?? '', name: draft.metadata.name ?? '' });
      if (sameData(existing, draft)) return { revision: existing, collisionCount: count };
    }
  }
}

/** Gives a revision that is wanted again the newest number. */
export const renumber = (
  revision: Revision,
  number: number,
  client: ResourceClient<ControllerRevision>,
): Promise<ControllerRevision> => client.update({ ...(revision as ControllerRevision), revision: number });

/** Deletes the oldest revisions that nothing uses beyond `limit`. */
export async function truncateHistory(
  unused: readonly Revision[],
  limit: number,
  client: ResourceClient<ControllerRevision>,
): Promise<void> {
  for (const { metadata } of unused.slice(0, Math.max(0, unused.length - limit)))
    try {
      await client.delete({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
}

export const isControlledBy = (object: DeepReadonly<KubeObject>, owner: DeepReadonly<KubeObject>): boolean =>
  controllerOf(object)?.uid === owner.metadata.uid;

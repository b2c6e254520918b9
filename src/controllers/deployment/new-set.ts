import { formatTime, type Clock } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Deployment, ReplicaSet } from '../../machinery/types.js';
import type { EventRecorder } from '../../client/event-recorder.js';
import type { ResourceClient } from '../../client/types.js';
import { controllerOf, controllerReference } from '../ownership.js';
import { isNamespaceTerminating } from '../pod-template.js';
import { canonicalJson, templateHash } from './hash.js';
import { annotationsFor, byRevision, findNew, REVISION, revisionOf, TEMPLATE_HASH } from './revisions.js';
import { newReplicas, replicaAnnotations } from './rolling.js';
import { conditionOf, hasProgressDeadline, withCondition, type DeploymentStatus } from './status.js';

type ReadonlySet = DeepReadonly<ReplicaSet>;
type ReadonlyDeployment = DeepReadonly<Deployment>;

export interface NewSetOptions {
  readonly setClient: ResourceClient<ReplicaSet>;
  readonly deploymentClient: ResourceClient<Deployment>;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

interface Synced<T> {
  /** As it was written last. */
  readonly deployment: ReadonlyDeployment;
  readonly fresh: T;
}

/** The ReplicaSet that runs a Deployment's template. */
export interface NewSets {
  /** Keeps its annotations in step, if it is there. */
  sync(deployment: ReadonlyDeployment, owned: readonly ReadonlySet[]): Promise<Synced<ReadonlySet | undefined>>;
  /** Makes it if it is not. @throws StatusError; Error when its name is taken, after which another is tried */
  ensure(deployment: ReadonlyDeployment, owned: readonly ReadonlySet[]): Promise<Synced<ReadonlySet>>;
}

/** Source: deployment/sync.go getNewReplicaSet. */
export function createNewSets({ setClient, deploymentClient, events, clock }: NewSetOptions): NewSets {
  /**
   * Carries the revision, and that there is a new ReplicaSet, to the Deployment. By its status: an annotation that
   * comes with a status does not count as a change of the Deployment, whose generation stays.
   */
  const noteRevision = async (
    deployment: ReadonlyDeployment,
    set: ReadonlySet,
    reason: 'FoundNewReplicaSet' | 'NewReplicaSetCreated',
    message: string,
  ): Promise<ReadonlyDeployment> => {
    const current = deployment as Deployment;
    const revision = set.metadata.annotations?.[REVISION] ?? '';
    const tellsProgress =
      hasProgressDeadline(deployment) &&
      (reason === 'NewReplicaSetCreated' || conditionOf(deployment, 'Progressing') === undefined);
    if (!tellsProgress && current.metadata.annotations?.[REVISION] === revision) return deployment;
    return deploymentClient.update(
      {
        ...current,
        metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, [REVISION]: revision } },
        ...(tellsProgress ? { status: withProgress(deployment, 'True', reason, message) } : {}),
      },
      { subresource: 'status' },
    );
  };

  const withProgress = (
    deployment: ReadonlyDeployment,
    status: 'True' | 'False',
    reason: string,
    message: string,
  ): DeploymentStatus => ({
    ...(deployment as Deployment).status,
    conditions: withCondition(
      deployment.status?.conditions ?? [],
      { type: 'Progressing', status, reason, message },
      formatTime(clock.now()),
    ),
  });

  const createFailed = async (deployment: ReadonlyDeployment, name: string, error: unknown): Promise<void> => {
    if (isNamespaceTerminating(error)) return;
    const message = `Failed to create new replica set "${name}": ${(error as Error).message}`;
    const reason = 'ReplicaSetCreateError';
    if (hasProgressDeadline(deployment)) {
      const status = withProgress(deployment, 'False', reason, message);
      await deploymentClient.update({ ...(deployment as Deployment), status }, { subresource: 'status' });
    }
    events.event(deployment, 'Warning', reason, message);
  };

  const newestRevision = (owned: readonly ReadonlySet[], existing: ReadonlySet | undefined): bigint => {
    const newest = owned
      .filter(set => set !== existing)
      .sort(byRevision)
      .at(-1);
    return (newest === undefined ? 0n : revisionOf(newest)) + 1n;
  };

  /** Keeps the annotations of the ReplicaSet that runs the template, if there is one, in step (getNewReplicaSet). */
  const sync = async (
    deployment: ReadonlyDeployment,
    owned: readonly ReadonlySet[],
  ): Promise<Synced<ReadonlySet | undefined>> => {
    const existing = findNew(deployment, owned);
    if (existing === undefined) return { deployment, fresh: undefined };
    const revision = newestRevision(owned, existing);
    const annotations = annotationsFor(deployment, existing.metadata.annotations, revision);
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
    let fresh = existing;
    if (
      canonicalJson(annotations) !== canonicalJson(existing.metadata.annotations) ||
      (existing.spec?.minReadySeconds ?? 0) !== minReadySeconds
    ) {
      fresh = await setClient.update({
        ...(existing as ReplicaSet),
        metadata: { ...(existing as ReplicaSet).metadata, annotations },
        spec: { ...(existing as ReplicaSet).spec, minReadySeconds } as NonNullable<ReplicaSet['spec']>,
      });
    }
    const noted = await noteRevision(
      deployment,
      fresh,
      'FoundNewReplicaSet',
      `Found new replica set "${fresh.metadata.name ?? ''}"`,
    );
    return { deployment: noted, fresh };
  };

  const ensure = async (
    deployment: ReadonlyDeployment,
    owned: readonly ReadonlySet[],
  ): Promise<Synced<ReadonlySet>> => {
    const synced = await sync(deployment, owned);
    if (synced.fresh !== undefined) return { deployment: synced.deployment, fresh: synced.fresh };
    const name = deployment.metadata.name ?? '';
    const revision = newestRevision(owned, undefined);
    const template = deployment.spec?.template as NonNullable<Deployment['spec']>['template'];
    const hash = templateHash(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
    const draft = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${name}-${hash}`,
        namespace: deployment.metadata.namespace ?? '',
        labels,
        annotations: { ...annotationsFor(deployment, {}, revision), ...replicaAnnotations(deployment) },
        ownerReferences: [controllerReference(deployment, 'apps/v1', 'Deployment')],
      },
      spec: {
        minReadySeconds: deployment.spec?.minReadySeconds ?? 0,
        selector: {
          ...(deployment.spec?.selector as object),
          matchLabels: { ...deployment.spec?.selector.matchLabels, [TEMPLATE_HASH]: hash },
        },
        template: { ...template, metadata: { ...template.metadata, labels } },
        replicas: 0,
      },
    } as unknown as ReplicaSet;
    const replicas = newReplicas(deployment, [...owned, draft], draft);
    (draft.spec as { replicas: number }).replicas = replicas;
    let created: ReplicaSet;
    try {
      created = await setClient.create(draft.metadata.namespace ?? '', draft);
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists'))
        return { deployment, fresh: await resolveCollision(deployment, draft) };
      await createFailed(deployment, draft.metadata.name ?? '', error);
      throw error;
    }
    if (replicas > 0)
      events.event(
        deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled up replica set ${created.metadata.name ?? ''} from 0 to ${replicas}`,
      );
    const message = `Created new replica set "${created.metadata.name ?? ''}"`;
    return {
      deployment: await noteRevision(deployment, created, 'NewReplicaSetCreated', message),
      fresh: created,
    };
  };

  /** The name is taken: by our own ReplicaSet that the cache has not shown yet, or by one of another template. */
  const resolveCollision = async (deployment: ReadonlyDeployment, draft: ReplicaSet): Promise<ReadonlySet> => {
    const existing = await setClient.get({
      namespace: draft.metadata.namespace ?? '',
      name: draft.metadata.name ?? '',
    });
    const ours = controllerOf(existing)?.uid === deployment.metadata.uid;
    if (ours && findNew(deployment, [existing]) !== undefined) return existing;
    const status = {
      ...(deployment as Deployment).status,
      collisionCount: (deployment.status?.collisionCount ?? 0) + 1,
    };
    await deploymentClient.update({ ...(deployment as Deployment), status }, { subresource: 'status' });
    throw new Error(`the name ${draft.metadata.name ?? ''} is taken by another template; trying the next hash`);
  };

  return { sync, ensure };
}

import { formatTime } from '../../machinery/clock.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { CronJob, Job } from '../../machinery/types.js';
import { CRON_JOBS, JOBS } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { byController, controllerOf, CONTROLLER_INDEX } from '../ownership.js';
import { isNamespaceTerminating } from '../pod-template.js';
import {
  expiredJobs,
  newJob,
  hasUnlisted,
  observeJobs,
  planCronJob,
  type CronJobStatus,
  type Note,
  type ReadonlyCronJob,
  type ReadonlyJob,
} from './plan.js';

/** Starts Jobs on a schedule (pkg/controller/cronjob). */
export const cronJobController: ControllerDefinition = {
  name: 'cronjob-controller',
  aliases: ['cronjob'],
  workers: 5,
  build(context) {
    const { client, informers, queue, clock } = context;
    const cronJobs = informers.informer<CronJob>(CRON_JOBS);
    const jobs = informers.informer<Job>(JOBS);
    const cronJobClient = client.resource<CronJob>(CRON_JOBS);
    const jobClient = client.resource<Job>(JOBS);
    const recorder = context.recorder('cronjob-controller');
    jobs.addIndex(CONTROLLER_INDEX, byController);
    cronJobs.addHandler({
      add: cronJob => queue.add(keyOf(cronJob)),
      update: (_old, cronJob) => queue.add(keyOf(cronJob)),
    });
    const jobChanged = (job: ReadonlyJob): void => {
      const owner = controllerOf(job);
      if (owner?.kind === 'CronJob') queue.add(`${job.metadata.namespace ?? ''}/${owner.name}`);
    };
    jobs.addHandler({ add: jobChanged, update: (_old, job) => jobChanged(job), delete: jobChanged });

    const tell = (cronJob: ReadonlyCronJob, notes: readonly Note[]): void => {
      for (const { type, reason, message } of notes) recorder.event(cronJob, type, reason, message);
    };

    const deleteJob = async (cronJob: ReadonlyCronJob, namespace: string, name: string): Promise<void> => {
      try {
        await jobClient.delete({ namespace, name }, { propagationPolicy: 'Background' });
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return;
        recorder.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${(error as Error).message}`);
        throw error;
      }
      recorder.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
    };

    /** Jobs on the list that are gone though nobody saw them finish; asked of the server, the cache may lag. */
    const dropMissing = async (
      cronJob: ReadonlyCronJob,
      status: CronJobStatus,
      known: readonly ReadonlyJob[],
    ): Promise<CronJobStatus> => {
      const uids = new Set(known.map(job => job.metadata.uid));
      let active = status.active ?? [];
      for (const reference of active.filter(one => !uids.has(one.uid ?? ''))) {
        try {
          await jobClient.get({ namespace: cronJob.metadata.namespace ?? '', name: reference.name ?? '' });
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
          recorder.event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${reference.name ?? ''}`);
          active = active.filter(one => one !== reference);
        }
      }
      return { ...status, active };
    };

    /** The Job for a time; undefined when it was made before and is on the list, or is not ours to make. */
    const startJob = async (cronJob: ReadonlyCronJob, startMs: number): Promise<Job | undefined> => {
      const draft = newJob(cronJob, startMs);
      const key = { namespace: draft.metadata.namespace ?? '', name: draft.metadata.name ?? '' };
      try {
        const created = await jobClient.create(key.namespace, draft);
        recorder.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${key.name}`);
        return created;
      } catch (error) {
        if (isNamespaceTerminating(error)) return undefined;
        if (isStatusError(error, 'AlreadyExists')) {
          const existing = await jobClient.get(key);
          return controllerOf(existing)?.uid === cronJob.metadata.uid ? existing : undefined;
        }
        recorder.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`);
        throw error;
      }
    };

    return {
      async reconcile(key) {
        let cached = cronJobs.indexer.get(key);
        if (cached === undefined) return;
        const { namespace } = splitKey(key);
        const own = jobs.indexer.byIndex(CONTROLLER_INDEX, cached.metadata.uid ?? '');
        // A Job made a moment ago can be in the cache before the list that names it.
        if (hasUnlisted(cached, own)) cached = await cronJobClient.get(splitKey(key));
        const observed = observeJobs(cached, own);
        tell(cached, observed.notes);
        let status = await dropMissing(cached, observed.status, own);
        const plan = planCronJob({ ...cached, status }, clock.now());
        tell(cached, plan.notes);
        if (plan.startMs !== undefined) {
          if (cached.spec?.concurrencyPolicy === 'Replace') {
            for (const reference of status.active ?? []) await deleteJob(cached, namespace, reference.name ?? '');
            status = { ...status, active: [] };
          }
          const job = await startJob(cached, plan.startMs);
          if (job !== undefined && status.active?.some(one => one.uid === job.metadata.uid) !== true)
            status = {
              ...status,
              lastScheduleTime: formatTime(plan.startMs),
              active: [...(status.active ?? []), referenceTo(job)],
            };
        }
        for (const job of expiredJobs(cached, own)) {
          await deleteJob(cached, namespace, job.metadata.name ?? '');
          status = { ...status, active: (status.active ?? []).filter(one => one.uid !== job.metadata.uid) };
        }
        if (!semanticEqual(status, cached.status))
          await cronJobClient.update({ ...(cached as CronJob), status }, { subresource: 'status' });
        if (plan.againMs !== undefined && plan.againMs !== Infinity) queue.addAfter(key, plan.againMs);
      },
    };
  },
};

const referenceTo = ({ metadata }: Job): NonNullable<CronJobStatus['active']>[number] => ({
  kind: 'Job',
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
  apiVersion: 'batch/v1',
  resourceVersion: metadata.resourceVersion ?? '',
});

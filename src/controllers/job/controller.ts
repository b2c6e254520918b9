import { formatTime } from '../../machinery/clock.js';
import { labelSelectorAsSelector } from '../../machinery/labels.js';
import type { Job, Pod } from '../../machinery/types.js';
import { JOBS, PODS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { createExpectations } from '../expectations.js';
import { watchOwnedPods } from '../owned-pods.js';
import { claim, controllerOf, controllerReference, CONTROLLER_INDEX, ownedOrOrphaned } from '../ownership.js';
import { createPodControl } from '../pod-control.js';
import { NO_FAILURES, type BackoffRecord } from './backoff.js';
import { condition, finishedType, withCondition, type JobCondition, type JobStatus } from './conditions.js';
import { gatherFacts, type JobFacts } from './facts.js';
import { deadlineLeft, finishReason } from './finish.js';
import {
  isIndexed,
  isSuspended,
  isTracked,
  TRACKING_FINALIZER,
  type ReadonlyJob,
  type ReadonlyPod,
} from './job-pods.js';
import { planJob } from './plan.js';
import { createJobPods, removeFinalizer } from './pods.js';
import { countReleased, finalStatus, sameStatus, trackPods } from './track.js';

/** Keys of Pods whose Job is gone; "namespace/name" alone is a Job. */
const ORPHAN = 'orphan/';
const EXTERNAL = 'kubernetes.io/job-controller';

/** Runs Jobs to their end (pkg/controller/job). */
export const jobController: ControllerDefinition = {
  name: 'job-controller',
  aliases: ['job'],
  workers: 5,
  // Upstream DefaultJobApiBackOff and MaxJobApiBackOff.
  retry: { baseMs: 1_000, maxMs: 60_000 },
  build(context) {
    const { client, informers, queue, clock } = context;
    const jobs = informers.informer<Job>(JOBS);
    const pods = informers.informer<Pod>(PODS);
    const jobClient = client.resource<Job>(JOBS);
    const podClient = client.resource<Pod>(PODS);
    const recorder = context.recorder('job-controller');
    const expectations = createExpectations(clock);
    const jobPods = createJobPods(podClient, createPodControl(podClient, recorder), expectations);
    const backoff = new Map<string, BackoffRecord>();
    /** By Job: uids of Pods whose finalizer was removed, until the watch shows it. */
    const settled = new Map<string, Set<string>>();
    /** By Job: the version written last. Older ones in the cache would count Pods twice. */
    const written = new Map<string, bigint>();

    const settledOf = (key: string): Set<string> => {
      const known = settled.get(key) ?? new Set();
      settled.set(key, known);
      return known;
    };
    const jobKeyOf = (pod: ReadonlyPod): string | undefined => {
      const owner = controllerOf(pod);
      return owner?.kind === 'Job' ? `${pod.metadata.namespace ?? ''}/${owner.name}` : undefined;
    };
    /** The Job that the Pod belongs to is not, or no longer, there. */
    const isOrphan = (pod: ReadonlyPod): boolean => {
      const key = jobKeyOf(pod);
      return key !== undefined && jobs.indexer.get(key)?.metadata.uid !== controllerOf(pod)?.uid;
    };
    const forget = (key: string): void => {
      expectations.forget(key);
      backoff.delete(key);
      settled.delete(key);
      written.delete(key);
    };

    jobs.addHandler({
      add: job => queue.add(keyOf(job)),
      update: (_old, job) => queue.add(keyOf(job)),
      delete: job => {
        forget(keyOf(job));
        queue.add(keyOf(job));
        for (const pod of pods.indexer.byIndex(CONTROLLER_INDEX, job.metadata.uid ?? ''))
          if (isTracked(pod)) queue.add(ORPHAN + keyOf(pod));
      },
    });
    const podChanged = (pod: ReadonlyPod): void => {
      if (!isTracked(pod)) settled.get(jobKeyOf(pod) ?? '')?.delete(pod.metadata.uid ?? '');
      else if (isOrphan(pod)) queue.add(ORPHAN + keyOf(pod));
    };
    pods.addHandler({
      add: podChanged,
      update: (_old, pod) => podChanged(pod),
      delete: pod => settled.get(jobKeyOf(pod) ?? '')?.delete(pod.metadata.uid ?? ''),
    });
    watchOwnedPods({
      pods,
      owners: jobs,
      kind: 'Job',
      queue,
      selector: job => job.spec?.selector,
      expectations,
    });

    const updateStatus = async (key: string, job: ReadonlyJob, status: JobStatus): Promise<Job> => {
      const updated = await jobClient.update({ ...(job as Job), status }, { subresource: 'status' });
      written.set(key, BigInt(updated.metadata.resourceVersion ?? '0'));
      return updated;
    };

    /** Pods are counted in order: uids to the status, finalizers off, counts and the final condition to the status. */
    const track = async (
      key: string,
      job: ReadonlyJob,
      facts: JobFacts,
      wanted: JobStatus,
      interim: JobCondition | undefined,
    ): Promise<void> => {
      const gone = settledOf(key);
      const tracked = trackPods(job, facts, gone, wanted, interim);
      let current: ReadonlyJob = job;
      let status = tracked.status;
      const mustWrite = tracked.release.length > 0 || interim !== undefined;
      if (mustWrite && !sameStatus(status, job.status)) {
        current = await updateStatus(key, job, status);
        backoff.set(key, facts.backoff);
      }
      const results = await Promise.allSettled(
        tracked.release.map(async pod => {
          gone.add(pod.metadata.uid ?? '');
          try {
            await removeFinalizer(podClient, pod);
          } catch (error) {
            gone.delete(pod.metadata.uid ?? '');
            throw error;
          }
        }),
      );
      const left = facts.pods.filter(pod => isTracked(pod) && !gone.has(pod.metadata.uid ?? ''));
      status = countReleased(status, new Set(left.map(pod => pod.metadata.uid ?? '')));
      const finished = tracked.full ? undefined : finalStatus(status, interim, clock.now());
      status = finished?.status ?? status;
      if (!sameStatus(status, current.status)) await updateStatus(key, current, status);
      if (finished !== undefined) announce(job, status, finished.final);
      const failed = results.find(result => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason as Error;
    };

    const announce = (job: ReadonlyJob, status: JobStatus, final: JobCondition): void => {
      if (final.type === 'Complete') {
        if (!isIndexed(job) && (status.succeeded ?? 0) > (job.spec?.completions ?? Infinity)) {
          const message = 'Too many succeeded pods running after completion count reached';
          recorder.event(job, 'Warning', 'TooManySucceededPods', message);
        }
        recorder.event(job, 'Normal', 'Completed', 'Job completed');
      } else recorder.event(job, 'Warning', final.reason ?? '', final.message ?? '');
    };

    /** The Suspended condition follows spec.suspend; a resumed Job starts anew. */
    const withSuspension = (job: ReadonlyJob, status: JobStatus): JobStatus => {
      const nowMs = clock.now();
      const suspended = isSuspended(job);
      const next = suspended
        ? condition('Suspended', 'True', 'JobSuspended', 'Job suspended', nowMs)
        : condition('Suspended', 'False', 'JobResumed', 'Job resumed', nowMs);
      const conditions = withCondition(status.conditions ?? [], next);
      if (conditions === undefined) return status;
      recorder.event(job, 'Normal', suspended ? 'Suspended' : 'Resumed', next.message ?? '');
      return suspended ? { ...status, conditions } : { ...status, conditions, startTime: formatTime(nowMs) };
    };

    const sync = async (key: string, job: ReadonlyJob): Promise<void> => {
      const seen = expectations.satisfied(key);
      const nowMs = clock.now();
      const candidates = ownedOrOrphaned(pods.indexer, job);
      const owned = await claim<Pod>(
        job,
        controllerReference(job, 'batch/v1', 'Job'),
        candidates,
        labelSelectorAsSelector(job.spec?.selector),
        podClient,
        [TRACKING_FINALIZER],
      );
      const facts = gatherFacts(job, owned, settledOf(key), backoff.get(key) ?? NO_FAILURES);
      let status: JobStatus = { uncountedTerminatedPods: {}, ...(job.status as JobStatus | undefined) };
      if (status.startTime === undefined && !isSuspended(job)) status = { ...status, startTime: formatTime(nowMs) };
      const startMs = status.startTime === undefined ? undefined : Date.parse(status.startTime);
      const counts = { active: facts.active.length, ready: facts.ready, terminating: facts.terminating };
      let interim = finishReason({ job, ...facts, startMs, nowMs });
      let failure: Error | undefined;

      if (interim !== undefined) {
        const removed = await jobPods.remove(key, job, facts.active, true);
        // Some Pods may still run, or not be in the cache: what they come to would be lost.
        if (removed.count !== facts.active.length || !seen) interim = undefined;
        counts.active -= removed.count;
        counts.terminating += removed.count;
        counts.ready -= removed.ready;
        failure = removed.error;
      } else {
        const left = deadlineLeft(job, startMs, nowMs);
        if (left !== undefined) queue.addAfter(key, left);
        const manages = seen && job.metadata.deletionTimestamp === undefined;
        if (manages) {
          const plan = planJob({ job, ...facts, nowMs });
          if (plan.waitMs !== undefined) {
            queue.addAfter(key, plan.waitMs);
            // Upstream's manageJob says that none is active while it holds back, whatever runs on.
            counts.active = 0;
          }
          if (plan.remove.length > 0) {
            const removed = await jobPods.remove(key, job, plan.remove, false);
            counts.active -= removed.count;
            counts.terminating += removed.count;
            counts.ready -= removed.ready;
            failure = removed.error;
          } else if (plan.create.length > 0) {
            const created = await jobPods.create(key, job, plan.create, facts.toReplace);
            counts.active += created.done;
            failure = created.error;
          }
        }
        const completions = job.spec?.completions;
        const complete =
          counts.active === 0 && (completions === undefined ? facts.succeeded > 0 : facts.succeeded >= completions);
        if (complete) {
          const message = 'Reached expected number of succeeded pods';
          interim = condition('SuccessCriteriaMet', 'True', 'CompletionsReached', message, nowMs);
        } else if (manages) status = withSuspension(job, status);
      }
      await track(key, job, facts, { ...status, ...counts }, interim);
      if (failure !== undefined) throw failure;
    };

    return {
      async reconcile(key) {
        if (key.startsWith(ORPHAN)) {
          const pod = pods.indexer.get(key.slice(ORPHAN.length));
          if (pod !== undefined && isTracked(pod) && isOrphan(pod)) await removeFinalizer(podClient, pod);
          return;
        }
        const job = jobs.indexer.get(key);
        if (job === undefined) return forget(key);
        if ((job.spec?.managedBy ?? EXTERNAL) !== EXTERNAL) return;
        // The watch brings the newer one, which queues the key again.
        if (BigInt(job.metadata.resourceVersion ?? '0') < (written.get(key) ?? 0n)) return;
        if (finishedType(job) !== '') return void backoff.delete(key);
        await sync(key, job);
      },
    };
  },
};

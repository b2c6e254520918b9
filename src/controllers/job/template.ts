import type { Container, OwnerReference, Pod } from '../../machinery/types.js';
import { podFromTemplate } from '../pod-template.js';
import {
  hasIndexBackoff,
  INDEX,
  nextFailureCounts,
  TRACKING_FINALIZER,
  type ReadonlyJob,
  type ReadonlyPod,
} from './job-pods.js';

/** Upstream names.MaxGeneratedNameLength. */
const MAX_GENERATED_PREFIX = 58;
const ENVIRONMENT_VARIABLE = 'JOB_COMPLETION_INDEX';

const withIndexVariable = (container: Container): Container =>
  container.env?.some(variable => variable.name === ENVIRONMENT_VARIABLE) === true
    ? container
    : {
        ...container,
        env: [
          ...(container.env ?? []),
          { name: ENVIRONMENT_VARIABLE, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } } },
        ],
      };

/** A Pod of the Job, of an index where it is indexed. `replaced`: the failed Pod whose place it takes. */
export function jobPod(
  job: ReadonlyJob,
  reference: OwnerReference,
  index: number | undefined,
  replaced: ReadonlyPod | undefined,
): Pod {
  const pod = podFromTemplate(job.spec?.template, job, reference);
  const finalizers = [...(pod.metadata.finalizers ?? []).filter(f => f !== TRACKING_FINALIZER), TRACKING_FINALIZER];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const name = job.metadata.name ?? '';
  const suffix = `-${index}-`;
  const spec = pod.spec as NonNullable<Pod['spec']>;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: name.slice(0, MAX_GENERATED_PREFIX - suffix.length) + suffix,
      finalizers,
      labels: { ...pod.metadata.labels, [INDEX]: String(index) },
      annotations: {
        ...pod.metadata.annotations,
        [INDEX]: String(index),
        ...(hasIndexBackoff(job) ? nextFailureCounts(job, replaced) : {}),
      },
    },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: spec.containers.map(withIndexVariable),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndexVariable) }),
    },
  };
}

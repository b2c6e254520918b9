import { errorList, invalid, path, required, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject, ReplicationController } from '../../machinery/types.js';
import { defaultPodTemplate } from './pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkNonNegative, sortedMap } from '../validation/formats.js';
import { checkPodTemplate } from './pod/validation/pod-template.js';
import { checkAlways } from '../apps/validation/workload.js';
import { ageCell, containerCells, labelsCell, nameCell, NONE } from '../cells.js';
import { changedTemplateWarnings } from './pod/pod-warnings.js';
import { checkReplicaStatus } from '../apps/replica-set.js';
import { scaleOf } from '../autoscaling/scale.js';

type ReadonlyController = DeepReadonly<ReplicationController>;
type Labels = Readonly<Record<string, string>>;

const SPEC = path('spec');

const isEmpty = (map: Labels | undefined): boolean => Object.keys(map ?? {}).length === 0;

function checkController(controller: ReadonlyController): FieldError[] {
  const out = errorList();
  const { spec } = controller;
  checkNonNegative(out, SPEC.child('minReadySeconds'), spec?.minReadySeconds);
  const selector = spec?.selector;
  if (isEmpty(selector)) out.push(required(SPEC.child('selector')));
  checkNonNegative(out, SPEC.child('replicas'), spec?.replicas);
  const template = spec?.template;
  const at = SPEC.child('template');
  if (!template) {
    out.push(required(at));
    return out;
  }
  const labels = template.metadata?.labels;
  // The selector is taken as it is: upstream does not ask whether labels could be so.
  if (!Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value)) {
    const shown = labels === undefined ? null : sortedMap(labels);
    out.push(invalid(at.child('metadata', 'labels'), shown, '`selector` does not match template `labels`'));
  }
  checkPodTemplate(out, at, template);
  checkAlways(out, at, template, 'ReplicationController');
  return out;
}

const mapText = (selector: unknown): string => {
  const text = labelsCell(selector as Labels | undefined);
  return text === NONE ? '' : text;
};

export const replicationControllerStrategy: Strategy<ReplicationController> = {
  default(controller) {
    const spec = (controller.spec ??= {});
    spec.replicas ??= 1;
    if (!spec.template) return;
    defaultPodTemplate(spec.template);
    const labels = spec.template.metadata?.labels;
    if (labels === undefined) return;
    if (isEmpty(spec.selector)) spec.selector = { ...labels };
    if (isEmpty(controller.metadata.labels)) controller.metadata.labels = { ...labels };
  },
  prepareForCreate(_ctx, controller) {
    controller.status = { replicas: 0 };
  },
  validate: (_ctx, controller) => checkController(controller),
  validateUpdate: (_ctx, controller) => checkController(controller),
  warnings(_ctx, controller, old) {
    if (old === undefined) return changedTemplateWarnings(controller.spec?.template, undefined);
    // Upstream passes the two in the wrong order: it warns of the template that was.
    const changed = old.metadata.generation !== controller.metadata.generation;
    return changed ? changedTemplateWarnings(old.spec?.template, undefined) : [];
  },
  cells(controller, nowMs) {
    const { spec, status } = controller;
    const object = controller as DeepReadonly<KubeObject>;
    return {
      cells: [
        nameCell(object),
        spec?.replicas ?? 0,
        status?.replicas ?? 0,
        status?.readyReplicas ?? 0,
        ageCell(object, nowMs),
        ...containerCells(spec?.template?.spec),
        labelsCell(spec?.selector),
      ],
    };
  },
  subresources: {
    status: { kind: 'part', validateUpdate: (_ctx, object) => checkReplicaStatus(object) },
    scale: scaleOf(mapText),
  },
};

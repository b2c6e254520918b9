import { errorList, invalid, notSupported, path, required, type FieldError } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DaemonSet, DeepReadonly, KubeObject } from '../../machinery/types.js';
import { defaultPodTemplate } from '../core/pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, checkNonNegative, checkSelector } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkPodTemplate } from '../core/pod/validation/pod-template.js';
import {
  checkAlways,
  checkCollisions,
  checkCounts,
  checkNotMoreThan100Percent,
  checkPositiveIntOrPercent,
  isEmptySelector,
  checkTemplateLabels,
  isZeroIntOrPercent,
  setRollingZeros,
} from './validation/workload.js';
import { ageCell, containerCells, labelsCell, nameCell, selectorCell } from '../cells.js';
import { changedTemplateWarnings } from '../core/pod/pod-warnings.js';

type ReadonlyDaemonSet = DeepReadonly<DaemonSet>;
type Spec = NonNullable<ReadonlyDaemonSet['spec']>;

const SPEC = path('spec');

function checkUpdateStrategy(out: FieldError[], strategy: Spec['updateStrategy']): void {
  const at = SPEC.child('updateStrategy');
  if (strategy?.type === 'OnDelete') return;
  if (strategy?.type !== 'RollingUpdate')
    return void out.push(notSupported(at, goForm('DaemonSetUpdateStrategy', strategy), ['RollingUpdate', 'OnDelete']));
  const field = at.child('rollingUpdate');
  if (strategy.rollingUpdate === undefined) return void out.push(required(field));
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
  checkPositiveIntOrPercent(out, field.child('maxUnavailable'), maxUnavailable);
  checkPositiveIntOrPercent(out, field.child('maxSurge'), maxSurge);
  checkNotMoreThan100Percent(out, field.child('maxUnavailable'), maxUnavailable);
  checkNotMoreThan100Percent(out, field.child('maxSurge'), maxSurge);
  const [noneDown, noneUp] = [isZeroIntOrPercent(maxUnavailable), isZeroIntOrPercent(maxSurge)];
  if (!noneDown && !noneUp)
    out.push(invalid(field.child('maxSurge'), maxSurge, 'may not be set when maxUnavailable is non-zero'));
  else if (noneDown && noneUp) out.push(required(field.child('maxUnavailable'), 'cannot be 0 when maxSurge is 0'));
}

function checkDaemonSet(set: ReadonlyDaemonSet): FieldError[] {
  const out = errorList();
  const spec: Partial<Spec> = set.spec ?? {};
  const template = spec.template ?? {};
  const at = SPEC.child('template');
  if (spec.selector) checkSelector(out, SPEC.child('selector'), spec.selector);
  const empty = spec.selector && isEmptySelector(spec.selector);
  if (!empty) checkTemplateLabels(out, at, spec.selector, template);
  if (empty) out.push(invalid(SPEC.child('selector'), spec.selector, 'empty selector is invalid for daemonset'));
  checkPodTemplate(out, at, template);
  checkAlways(out, at, template, 'DaemonSet');
  checkNonNegative(out, SPEC.child('minReadySeconds'), spec.minReadySeconds);
  checkUpdateStrategy(out, spec.updateStrategy);
  checkNonNegative(out, SPEC.child('revisionHistoryLimit'), spec.revisionHistoryLimit);
  return out;
}

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
];

/** Where apps/v1 keeps a number that older versions had in the spec; the server alone counts it. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function setTemplateGeneration(set: DaemonSet, generation: number): void {
  (set.metadata.annotations ??= {})[TEMPLATE_GENERATION] = String(generation);
}

const templateGeneration = (set: DeepReadonly<DaemonSet>): number =>
  Number(set.metadata.annotations?.[TEMPLATE_GENERATION]) || 1;

export const daemonSetStrategy: Strategy<DaemonSet> = {
  default(set) {
    const spec = (set.spec ??= {} as NonNullable<DaemonSet['spec']>);
    if (set.metadata.annotations?.[TEMPLATE_GENERATION] === undefined) setTemplateGeneration(set, 0);
    defaultPodTemplate((spec.template ??= {}));
    const strategy = (spec.updateStrategy ??= {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      const rolling = (strategy.rollingUpdate ??= {});
      rolling.maxUnavailable ??= 1;
    }
    setRollingZeros(strategy.rollingUpdate);
    spec.revisionHistoryLimit ??= 10;
  },
  internalMetadata({ metadata }) {
    const { [TEMPLATE_GENERATION]: _, ...annotations } = metadata.annotations ?? {};
    const { annotations: _all, ...rest } = metadata;
    return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
  },
  prepareForCreate(_ctx, set) {
    set.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
    setTemplateGeneration(set, Math.max(1, templateGeneration(set)));
  },
  prepareForUpdate(_ctx, set, old) {
    const before = templateGeneration(old);
    setTemplateGeneration(set, before + (semanticEqual(set.spec?.template, old.spec?.template) ? 0 : 1));
  },
  validate: (_ctx, set) => checkDaemonSet(set),
  validateUpdate(_ctx, set, old) {
    const out = errorList();
    checkImmutable(out, SPEC.child('selector'), set.spec?.selector, old.spec?.selector);
    return [...out, ...checkDaemonSet(set)];
  },
  warnings: (_ctx, set, old) => changedTemplateWarnings(set.spec?.template, old && { template: old.spec?.template }),
  cells(set, nowMs) {
    const { spec, status } = set;
    const object = set as DeepReadonly<KubeObject>;
    return {
      cells: [
        nameCell(object),
        status?.desiredNumberScheduled ?? 0,
        status?.currentNumberScheduled ?? 0,
        status?.numberReady ?? 0,
        status?.updatedNumberScheduled ?? 0,
        status?.numberAvailable ?? 0,
        labelsCell(spec?.template?.spec?.nodeSelector),
        ageCell(object, nowMs),
        ...containerCells(spec?.template?.spec),
        selectorCell(spec?.selector),
      ],
    };
  },
  subresources: {
    status: {
      kind: 'part',
      prepareForUpdate(_ctx, object, old) {
        // It is part of the spec internally, which writers of the status leave alone.
        setTemplateGeneration(object, templateGeneration(old));
      },
      validateUpdate(_ctx, object, old) {
        const out = errorList();
        const status = (object['status'] ?? {}) as Readonly<Record<string, unknown>>;
        checkCounts(out, status, COUNTS, []);
        checkCollisions(out, status, old['status'] as Readonly<Record<string, unknown>> | undefined);
        return out;
      },
    },
  },
};

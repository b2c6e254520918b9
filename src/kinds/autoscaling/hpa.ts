import type { DeepReadonly, HorizontalPodAutoscaler } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import type { Row } from '../../api/columns.js';
import { checkScaler, checkScalerStatus, defaultScaler } from './validation/hpa.js';
import { ageCell, nameCell, NONE, UNKNOWN, UNSET } from '../cells.js';

type ReadonlyScaler = DeepReadonly<HorizontalPodAutoscaler>;
type Metric = NonNullable<NonNullable<ReadonlyScaler['spec']>['metrics']>[number];
type Measured = NonNullable<NonNullable<ReadonlyScaler['status']>['currentMetrics']>[number];

const SHOWN = 2;

function resourceText(
  metric: NonNullable<Metric['resource']>,
  measured: Measured['resource'] | Measured['containerResource'],
): string {
  const { name, target } = metric;
  const current = measured?.current;
  if (target.averageValue !== undefined) return `${name}: ${current?.averageValue ?? UNKNOWN}/${target.averageValue}`;
  const used = current?.averageUtilization === undefined ? UNKNOWN : `${current.averageUtilization}%`;
  const wanted = target.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`;
  return `${name}: ${used}/${wanted}`;
}

function metricText(metric: Metric, measured: Measured | undefined): string {
  switch (metric.type) {
    case 'External':
    case 'Object': {
      const key = metric.type === 'External' ? 'external' : 'object';
      const [target, current] = [metric[key]?.target, measured?.[key]?.current];
      if (target?.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`;
      return `${current?.value ?? UNKNOWN}/${target?.value ?? ''}`;
    }
    case 'Pods':
      return `${measured?.pods?.current.averageValue ?? UNKNOWN}/${metric.pods?.target.averageValue ?? ''}`;
    case 'Resource':
      return metric.resource === undefined ? '<unknown type>' : resourceText(metric.resource, measured?.resource);
    case 'ContainerResource':
      return metric.containerResource === undefined
        ? '<unknown type>'
        : resourceText(metric.containerResource, measured?.containerResource);
    default:
      return '<unknown type>';
  }
}

function targetsCell({ spec, status }: ReadonlyScaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return NONE;
  const texts = metrics.map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  const shown = texts.slice(0, SHOWN).join(', ');
  return texts.length > SHOWN ? `${shown} + ${texts.length - SHOWN} more...` : shown;
}

export function scalerCells(scaler: ReadonlyScaler, nowMs: number): Row {
  const { spec, status } = scaler;
  return {
    cells: [
      nameCell(scaler),
      `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
      targetsCell(scaler),
      spec?.minReplicas === undefined ? UNSET : String(spec.minReplicas),
      spec?.maxReplicas ?? 0,
      status?.currentReplicas ?? 0,
      ageCell(scaler, nowMs),
    ],
  };
}

export const horizontalPodAutoscalerStrategy: Strategy<HorizontalPodAutoscaler> = {
  default: defaultScaler,
  prepareForCreate(_ctx, scaler) {
    const none = null as unknown as [];
    scaler.status = { desiredReplicas: 0, currentMetrics: none };
  },
  validate: (_ctx, scaler) => checkScaler(scaler, undefined),
  validateUpdate: (_ctx, scaler, old) => checkScaler(scaler, old),
  cells: scalerCells,
  subresources: {
    status: {
      kind: 'part',
      validateUpdate: (_ctx, object) => checkScalerStatus(object as unknown as ReadonlyScaler),
    },
  },
};

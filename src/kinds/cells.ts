import { humanAge } from '../machinery/duration.js';
import type { DeepReadonly, KubeObject, LabelSelector, PodSpec } from '../machinery/types.js';
import { sortedEntries } from './validation/formats.js';

/** Cells that many kinds share, as kubernetes/pkg/printers prints them. */
export const NONE = '<none>';
export const UNSET = '<unset>';
export const UNKNOWN = '<unknown>';

export const ageCell = (object: DeepReadonly<KubeObject>, nowMs: number): string =>
  humanAge(object.metadata.creationTimestamp, nowMs);

export const nameCell = (object: DeepReadonly<KubeObject>): string => object.metadata.name ?? '';

/** Names and images of the containers, for wide output. */
export function containerCells(spec: DeepReadonly<PodSpec> | undefined): [names: string, images: string] {
  const containers = spec?.containers ?? [];
  return [containers.map(c => c.name).join(','), containers.map(c => c.image ?? '').join(',')];
}

/** labels.FormatLabels: "a=b,c=d"; nothing is "<none>". */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = sortedEntries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? NONE : pairs.join(',');
}

type Requirement = NonNullable<DeepReadonly<LabelSelector>['matchExpressions']>[number];

function requirementText({ key, operator, values }: Requirement): string {
  const list = [...(values ?? [])].sort().join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${list})`;
    case 'NotIn':
      return `${key} notin (${list})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}

/** labels.Selector.String(): requirements by key. */
export function selectorText(selector: DeepReadonly<LabelSelector> | undefined): string {
  const parts: [key: string, text: string][] = [
    ...sortedEntries(selector?.matchLabels).map(([key, value]): [string, string] => [key, `${key}=${value}`]),
    ...(selector?.matchExpressions ?? []).map((rule): [string, string] => [rule.key, requirementText(rule)]),
  ];
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',');
}

/** metav1.FormatLabelSelector. */
export const selectorCell = (selector: DeepReadonly<LabelSelector> | undefined): string =>
  selectorText(selector) || NONE;

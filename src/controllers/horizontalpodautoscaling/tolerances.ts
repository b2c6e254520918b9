import { parseQuantity } from '../../machinery/quantity.js';
import type { ReadonlyAutoscaler } from './status.js';

/** How far a metric may be from its target without anything being done. */
export interface Tolerances {
  readonly down: number;
  readonly up: number;
}

/** Upstream --horizontal-pod-autoscaler-tolerance. */
const DEFAULT = 0.1;

const fraction = (text: string | undefined): number => {
  if (text === undefined) return DEFAULT;
  const { unscaled, scale } = parseQuantity(text);
  return Number(unscaled) * 10 ** scale;
};

export const tolerancesOf = ({ spec }: ReadonlyAutoscaler): Tolerances => ({
  down: fraction(spec?.behavior?.scaleDown?.tolerance),
  up: fraction(spec?.behavior?.scaleUp?.tolerance),
});

export const isWithin = (ratio: number, { down, up }: Tolerances): boolean => 1 - down <= ratio && ratio <= 1 + up;

/** What one level may and should get. */
export interface Claim {
  readonly lowerBound: number;
  readonly upperBound: number;
  /** At least the lower bound. */
  readonly target: number;
}

export interface Allocation {
  /** By claim. */
  readonly seats: readonly number[];
  /** What each gets of its target, where its bounds allow it. */
  readonly fairFraction: number;
}

/** A level that wants nothing gets a little, so that nothing is divided by zero. */
const MIN_TARGET = 0.001;
const EPSILON = 1e-7;

interface Bound {
  /** As a fraction of the target. */
  readonly at: number;
  readonly target: number;
  readonly lower: boolean;
}

/**
 * Divides seats so that each claim gets the same fraction of its target, unless one of its bounds says otherwise: the
 * problem of conc_alloc.go (k8s.io/apiserver pkg/util/flowcontrol). The sum of what all get rises with the fraction, by the
 * targets of those that are between their bounds: the bounds are walked in order until the sum is right.
 * undefined: there is no such division.
 */
export function allocate(seats: number, claims: readonly Claim[]): Allocation | undefined {
  const items = claims.map(claim => ({ ...claim, target: Math.max(claim.target, MIN_TARGET) }));
  if (
    seats < 0 ||
    items.some(({ lowerBound, upperBound, target }) => lowerBound < 0 || target < lowerBound || upperBound < lowerBound)
  )
    return undefined;
  const total = (of: (item: Claim) => number): number => items.reduce((sum, item) => sum + of(item), 0);
  const [low, high] = [total(item => item.lowerBound), total(item => item.upperBound)];
  if (low - seats > EPSILON || seats - high > EPSILON) return undefined;
  if (seats === 0) return { seats: items.map(() => 0), fairFraction: 0 };
  const lowest = items.reduce((least, item) => Math.min(least, item.lowerBound / item.target), Infinity);
  if (low - seats > -EPSILON) return { seats: items.map(item => item.lowerBound), fairFraction: lowest };
  if (seats - high > -EPSILON)
    return {
      seats: items.map(item => item.upperBound),
      fairFraction: items.reduce((most, item) => Math.max(most, item.upperBound / item.target), 0),
    };
  const bounds = items.flatMap(({ lowerBound, upperBound, target }): Bound[] => [
    { at: lowerBound / target, target, lower: true },
    { at: upperBound / target, target, lower: false },
  ]);
  bounds.sort((a, b) => a.at - b.at);
  const fairFraction = fractionFor(seats, low, lowest, bounds);
  const between = ({ lowerBound, upperBound, target }: Claim): number =>
    Math.max(lowerBound, Math.min(upperBound, fairFraction * target));
  return { seats: items.map(between), fairFraction };
}

function fractionFor(seats: number, low: number, lowest: number, bounds: readonly Bound[]): number {
  let fraction = lowest;
  let sum = low;
  /** Targets of those that are between their bounds. */
  let rising = 0;
  for (const { at, target, lower } of bounds) {
    const reached = sum + (at - fraction) * rising;
    if (reached >= seats && rising > 0) return fraction + (seats - sum) / rising;
    sum = reached;
    fraction = at;
    rising += lower ? target : -target;
  }
  return fraction;
}

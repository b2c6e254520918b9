import { MAX_COST, type Range } from './declarations.js';

/** Arithmetic on costs and sizes, which stops at MAX_COST. Source: cel-go checker/cost.go. */
export const exactly = (count: number): Range => ({ min: count, max: count });
export const ANY_SIZE: Range = { min: 0, max: MAX_COST };

const bounded = (count: number): number => Math.min(count, MAX_COST);

export const addRanges = (a: Range, b: Range): Range => ({ min: bounded(a.min + b.min), max: bounded(a.max + b.max) });

export const multiplyRanges = (a: Range, b: Range): Range => ({
  min: bounded(a.min * b.min),
  max: bounded(a.max * b.max),
});

/** By a factor that need not be whole, rounded up. */
export const scaleRange = ({ min, max }: Range, factor: number): Range => ({
  min: bounded(Math.ceil(min * factor)),
  max: bounded(Math.ceil(max * factor)),
});

export const uniteRanges = (a: Range, b: Range): Range => ({
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
});

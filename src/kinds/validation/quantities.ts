import * as quantity from '../../machinery/quantity.js';
import { formatQuantity } from '../../machinery/quantity-format.js';

/**
 * Arithmetic on quantities as objects carry them: canonical text, which the codec has already checked. Equal texts are
 * compared without parsing, which is the common case.
 */
export function compareQuantities(a: string, b: string): number {
  return a === b ? 0 : quantity.compareQuantities(quantity.parseQuantity(a), quantity.parseQuantity(b));
}

export const addQuantities = (a: string, b: string): string =>
  formatQuantity(quantity.addQuantities(quantity.parseQuantity(a), quantity.parseQuantity(b)));

export const subtractQuantities = (a: string, b: string): string =>
  formatQuantity(quantity.subtractQuantities(quantity.parseQuantity(a), quantity.parseQuantity(b)));

const ZERO = quantity.parseQuantity('0');

/** -1, 0 or 1. */
export const quantitySign = (text: string): number => quantity.compareQuantities(quantity.parseQuantity(text), ZERO);

/** Quantity.Value(): whole units, rounded up. */
export const quantityValue = (text: string): bigint => quantity.scaledValue(quantity.parseQuantity(text));

/** Quantity.MilliValue(): thousandths, rounded up. */
export const milliValue = (text: string): bigint => quantity.scaledValue(quantity.parseQuantity(text), -3);

export const isWhole = (text: string): boolean => milliValue(text) % 1000n === 0n;

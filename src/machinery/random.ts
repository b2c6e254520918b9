import { randomInt, randomUUID } from 'node:crypto';

/**
 * Chance is a parameter, as time is: a run can be repeated. Keys, tokens and certificates do not come from here: what
 * has to be secret is never seeded.
 */
export interface Random {
  /** In [0, 1). */
  number(): number;
  /** A whole number in [0, n). */
  below(n: number): number;
  /** A version 4 uuid. */
  uuid(): string;
}

export const realRandom: Random = { number: () => Math.random(), below: n => randomInt(n), uuid: () => randomUUID() };

/** The same sequence for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const number = (): number => next() / 2 ** 32;
  const hex = (): string => next().toString(16).padStart(8, '0');
  return {
    number,
    below: n => Math.floor(number() * n),
    uuid() {
      const digits = [...(hex() + hex() + hex() + hex())];
      digits[12] = '4';
      digits[16] = (8 + (parseInt(digits[16] ?? '0', 16) % 4)).toString(16);
      const text = digits.join('');
      return [0, 8, 12, 16, 20].map((at, i, all) => text.slice(at, all[i + 1])).join('-');
    },
  };
}

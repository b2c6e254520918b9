import type { Random } from '../../../src/machinery/random.js';

export const pick = <T>(random: Random, among: readonly T[]): T => among[random.below(among.length)] as T;

const TEXTS: readonly string[] = [
  '',
  ' ',
  'a',
  'A-b.c',
  '-',
  '../..',
  '%2F',
  '\u0000',
  '\ud800',
  '𝕏é\u202e',
  '2026-01-01T00:00:00Z',
  '9999999999999999999',
  '1e999',
  '10Gi',
  '-5m',
  '10.96.0.1',
  '::1',
  'fd00::/112',
  '300.1.1.1',
  '0x7f',
  'true',
  'null',
  '$patch',
  '__proto__',
  'constructor',
  'kubernetes.io/hostname',
  '*',
  '(a+)+$',
  '{{.x}}',
  '$(HOME)',
  'a'.repeat(64),
  'a.'.repeat(150),
];

const NUMBERS: readonly number[] = [0, -0, 1, -1, 80, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1.5, 1e308, -1e-7];

/** A value that no schema asks for. Its size is bounded by `depth`. */
export function randomJson(random: Random, depth = 3): unknown {
  switch (random.below(depth > 0 ? 8 : 5)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 0;
    case 2:
      return pick(random, NUMBERS);
    case 3:
    case 4:
      return pick(random, TEXTS);
    case 5:
      return Array.from({ length: random.below(4) }, () => randomJson(random, depth - 1));
    case 6: {
      let deep: unknown = pick(random, TEXTS);
      for (let i = random.below(200); i > 0; i--) deep = random.below(2) === 0 ? [deep] : { a: deep };
      return deep;
    }
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [pick(random, TEXTS), randomJson(random, depth - 1)]),
      );
  }
}

type Parent = Record<string, unknown> | unknown[];

/** Every place of a value: what holds it, and under which key. */
function places(value: unknown): (readonly [Parent, string])[] {
  const found: (readonly [Parent, string])[] = [];
  const walk = (at: unknown): void => {
    if (typeof at !== 'object' || at === null) return;
    for (const [key, member] of Object.entries(at)) {
      found.push([at as Parent, key]);
      walk(member);
    }
  };
  walk(value);
  return found;
}

/** Changes a copy at a few places: takes away, replaces, doubles, renames, swaps. */
export function mutateJson(random: Random, given: unknown): unknown {
  const copy = structuredClone(given);
  for (let i = 1 + random.below(3); i > 0; i--) {
    const all = places(copy);
    if (all.length === 0) return randomJson(random);
    const [parent, key] = pick(random, all);
    const members = parent as Record<string, unknown>;
    switch (random.below(6)) {
      case 0:
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete members[key];
        break;
      case 1:
        members[key] = randomJson(random);
        break;
      case 2:
        if (Array.isArray(parent)) parent.push(structuredClone(parent[Number(key)]));
        else members[pick(random, TEXTS)] = structuredClone(members[key]);
        break;
      case 3: {
        const [other, otherKey] = pick(random, all);
        members[key] = structuredClone((other as Record<string, unknown>)[otherKey]);
        break;
      }
      case 4:
        members[key] = [members[key]];
        break;
      default:
        members[key] = pick(random, [...TEXTS, ...NUMBERS]);
    }
    // What is put into itself would grow for ever.
    if (JSON.stringify(copy).length > 50_000) return copy;
  }
  return copy;
}

/** The same bytes but for a few: one changed, cut off, repeated, or something put in between. */
export function mutateBytes(random: Random, given: Buffer): Buffer {
  if (given.length === 0) return Buffer.from([random.below(256)]);
  const at = random.below(given.length);
  switch (random.below(5)) {
    case 0: {
      const copy = Buffer.from(given);
      copy[at] = random.below(256);
      return copy;
    }
    case 1:
      return given.subarray(0, at);
    case 2:
      return Buffer.concat([given, given.subarray(at)]);
    case 3:
      return Buffer.concat([given.subarray(0, at), Buffer.from(pick(random, TEXTS)), given.subarray(at)]);
    default:
      return Buffer.concat([given.subarray(0, at), given.subarray(Math.min(given.length, at + 1 + random.below(8)))]);
  }
}

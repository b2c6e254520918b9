import { compareSemvers, parseLooseSemver, parseSemver, type Semver } from '../../semver.js';
import type { Declaration, Library } from '../declarations.js';
import { exactly } from '../ranges.js';
import { BOOL, INT, STRING, struct } from '../types.js';
import { CelError, type OpaqueValue, type Value } from '../values.js';
import { method, NOMINAL, readsFirst } from './overloads.js';
import { overload } from '../standard/overload.js';

/** Source: k8s.io/apiserver pkg/cel/library/semverlib.go (version 1), pkg/cel/semver.go. */
const SEMVER_TYPE = struct('kubernetes.Semver');

export class SemverValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = SEMVER_TYPE;
  constructor(readonly version: Semver) {}
  equals(other: OpaqueValue): boolean {
    return other instanceof SemverValue && compareSemvers(this.version, other.version) === 0;
  }
}

const read = (text: string, isLoose: boolean): Semver | string =>
  isLoose ? parseLooseSemver(text) : parseSemver(text);

function toSemver(text: string, isLoose = false): Value {
  const version = read(text, isLoose);
  return typeof version === 'string' ? new CelError(version) : new SemverValue(version);
}

const isSemver = (text: string, isLoose = false): boolean => typeof read(text, isLoose) !== 'string';

/** Numbers are unsigned, and become signed as Go does it. */
const part = (name: 'major' | 'minor' | 'patch'): Declaration => ({
  name,
  doc: `The ${name} version.`,
  examples: [{ expr: `semver('1.2.3').${name}()`, is: { major: '1', minor: '2', patch: '3' }[name] }],
  overloads: [
    method(
      `semver_${name}`,
      [SEMVER_TYPE],
      INT,
      ({ version }: SemverValue) => BigInt.asIntN(64, version[name]),
      NOMINAL,
    ),
  ],
});

const PAIR = [SEMVER_TYPE, SEMVER_TYPE];
const compare = (a: SemverValue, b: SemverValue): -1 | 0 | 1 => compareSemvers(a.version, b.version);

export const SEMVER: Library = {
  name: 'kubernetes.Semver',
  types: [
    {
      type: SEMVER_TYPE,
      doc: 'A semantic version.',
      isIdentifier: false,
      equalityCost: 1,
      estimateEquality: () => exactly(1),
    },
  ],
  functions: [
    {
      name: 'semver',
      doc: 'Reads a semantic version; if so told, also with a "v" in front, with parts left out and with leading zeros.',
      examples: [
        { expr: `semver('1.0.0+a') == semver('1.0.0+b')`, is: 'true' },
        { expr: `semver('v01.1', true) == semver('1.1.0')`, is: 'true' },
        { expr: `semver('200K')`, error: 'No Major.Minor.Patch elements found' },
        { expr: `semver('v1.0.0')`, error: 'Invalid character(s) found in major number "v1"' },
        { expr: `semver('1.0-a', true)`, error: 'short version cannot contain PreRelease/Build meta data' },
      ],
      overloads: [
        overload('string_to_semver', [STRING], SEMVER_TYPE, (text: string) => toSemver(text), readsFirst()),
        overload('string_bool_to_semver', [STRING, BOOL], SEMVER_TYPE, toSemver, readsFirst()),
      ],
    },
    {
      name: 'isSemver',
      doc: 'Whether semver() can read it.',
      examples: [
        { expr: `isSemver('1.0.0')`, is: 'true' },
        { expr: `isSemver('v1.0')`, is: 'false' },
        { expr: `isSemver('v1.0', true)`, is: 'true' },
      ],
      overloads: [
        overload('is_semver_string', [STRING], BOOL, (text: string) => isSemver(text), readsFirst()),
        overload('is_semver_string_bool', [STRING, BOOL], BOOL, isSemver, readsFirst()),
      ],
    },
    {
      name: 'isGreaterThan',
      doc: 'Whether it comes after another version.',
      examples: [{ expr: `semver('1.0.0').isGreaterThan(semver('1.0.0-rc.1'))`, is: 'true' }],
      overloads: [
        method('semver_is_greater_than', PAIR, BOOL, (a: SemverValue, b: SemverValue) => compare(a, b) > 0, NOMINAL),
      ],
    },
    {
      name: 'isLessThan',
      doc: 'Whether it comes before another version.',
      examples: [{ expr: `semver('1.0.0-alpha.2').isLessThan(semver('1.0.0-alpha.10'))`, is: 'true' }],
      overloads: [
        method('semver_is_less_than', PAIR, BOOL, (a: SemverValue, b: SemverValue) => compare(a, b) < 0, NOMINAL),
      ],
    },
    {
      name: 'compareTo',
      doc: '1 when it comes after another version, -1 before, 0 neither.',
      examples: [
        { expr: `semver('1.2.3').compareTo(semver('1.2.3'))`, is: '0' },
        { expr: `semver('1.2.3').compareTo(semver('2.0.0'))`, is: '-1' },
      ],
      overloads: [
        method('semver_compare_to', PAIR, INT, (a: SemverValue, b: SemverValue) => BigInt(compare(a, b)), NOMINAL),
      ],
    },
    part('major'),
    part('minor'),
    part('patch'),
  ],
};

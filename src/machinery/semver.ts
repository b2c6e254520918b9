import { quote } from './go-text.js';

/** Semantic versions as github.com/blang/semver/v4 reads and compares them. */
export interface Semver {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Numbers where they are written as such. */
  readonly pre: readonly (string | bigint)[];
  readonly build: readonly string[];
}

const MAX_UINT64 = 2n ** 64n - 1n;
const DIGITS = /^[0-9]*$/;
const LETTERS = /^[0-9A-Za-z-]*$/;

/** strconv.ParseUint of what is all digits. */
function uint64(digits: string): bigint | string {
  if (digits === '') return 'strconv.ParseUint: parsing "": invalid syntax';
  // Without this, a million digits would be turned into a number first.
  const value = digits.length > 20 ? undefined : BigInt(digits);
  if (value === undefined || value > MAX_UINT64)
    return `strconv.ParseUint: parsing ${quote(digits)}: value out of range`;
  return value;
}

function component(name: string, text: string): bigint | string {
  if (!DIGITS.test(text)) return `Invalid character(s) found in ${name} number ${quote(text)}`;
  if (text.length > 1 && text.startsWith('0')) {
    const title = name.charAt(0).toUpperCase() + name.slice(1);
    return `${title} number must not contain leading zeroes ${quote(text)}`;
  }
  return uint64(text);
}

/** What stands before the separator, and what behind it: undefined when there is none. */
function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

class Failure extends Error {
  override readonly name = 'Failure';
}

function readPre(text: string): string | bigint {
  if (text === '') throw new Failure('Prerelease is empty');
  if (DIGITS.test(text)) {
    if (text.length > 1 && text.startsWith('0'))
      throw new Failure(`Numeric PreRelease version must not contain leading zeroes ${quote(text)}`);
    return expected(uint64(text));
  }
  if (!LETTERS.test(text)) throw new Failure(`Invalid character(s) found in prerelease ${quote(text)}`);
  return text;
}

function readBuild(text: string): string {
  if (text === '') throw new Failure('Build meta data is empty');
  if (!LETTERS.test(text)) throw new Failure(`Invalid character(s) found in build meta data ${quote(text)}`);
  return text;
}

function expected(number: bigint | string): bigint {
  if (typeof number === 'string') throw new Failure(number);
  return number;
}

function read(text: string): Semver {
  if (text === '') throw new Failure('Version string empty');
  const [majorText, afterMajor = ''] = cut(text, '.');
  const [minorText, rest] = cut(afterMajor, '.');
  if (rest === undefined) throw new Failure('No Major.Minor.Patch elements found');
  const major = expected(component('major', majorText));
  const minor = expected(component('minor', minorText));
  const [beforeBuild, build] = cut(rest, '+');
  const [patchText, pre] = cut(beforeBuild, '-');
  const patch = expected(component('patch', patchText));
  return {
    major,
    minor,
    patch,
    pre: pre?.split('.').map(readPre) ?? [],
    build: build?.split('.').map(readBuild) ?? [],
  };
}

/** semver.Parse. @returns the error's text when it is none */
export function parseSemver(text: string): Semver | string {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

/** Without "v" in front, with the parts that were left out as 0, and without leading zeros. @returns the error's text when there is one */
export function parseLooseSemver(text: string): Semver | string {
  const parts = splitInThree(text.startsWith('v') ? text.slice(1) : text).map(withoutZeros);
  if (parts.length < 3 && /[+-]/.test(parts[parts.length - 1] ?? ''))
    return 'short version cannot contain PreRelease/Build meta data';
  while (parts.length < 3) parts.push('0');
  return parseSemver(parts.join('.'));
}

function splitInThree(text: string): string[] {
  const [first, rest] = cut(text, '.');
  if (rest === undefined) return [first];
  const [second, third] = cut(rest, '.');
  return third === undefined ? [first, second] : [first, second, third];
}

function withoutZeros(part: string): string {
  if (part.length <= 1) return part;
  const rest = part.replace(/^0+/, '');
  return /^[0-9]/.test(rest) ? rest : `0${rest}`;
}

const order = <T extends string | bigint>(a: T, b: T): -1 | 0 | 1 => (a === b ? 0 : a > b ? 1 : -1);

function comparePre(a: string | bigint, b: string | bigint): -1 | 0 | 1 {
  if (typeof a === 'bigint') return typeof b === 'bigint' ? order(a, b) : -1;
  return typeof b === 'bigint' ? 1 : order(a, b);
}

/** What is built from it does not count. */
export function compareSemvers(a: Semver, b: Semver): -1 | 0 | 1 {
  const numbers = order(a.major, b.major) || order(a.minor, b.minor) || order(a.patch, b.patch);
  if (numbers !== 0) return numbers;
  // A release comes after what was released before it.
  if (a.pre.length === 0 || b.pre.length === 0) return a.pre.length === b.pre.length ? 0 : a.pre.length === 0 ? 1 : -1;
  for (let i = 0; i < a.pre.length; i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === undefined || y === undefined) return 1;
    const found = comparePre(x, y);
    if (found !== 0) return found;
  }
  return a.pre.length < b.pre.length ? -1 : 0;
}

export function formatSemver({ major, minor, patch, pre, build }: Semver): string {
  const behind = pre.length === 0 ? '' : `-${pre.join('.')}`;
  return `${major}.${minor}.${patch}${behind}${build.length === 0 ? '' : `+${build.join('.')}`}`;
}

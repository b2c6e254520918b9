import { isDeepStrictEqual } from 'node:util';
import type { Comparison, Head, Printed, Step, Versions } from './types.js';

const number = (version: string): number => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
};

export const isFor = ({ minVersion, maxVersion }: Versions, version: string): boolean =>
  (minVersion === undefined || number(version) >= number(minVersion)) &&
  (maxVersion === undefined || number(version) <= number(maxVersion));

/** What a version may print: its own recording, or that of any when it has none. */
export function variants(head: Head, step: Step, version: string): Printed[] {
  const base: Printed = { exit: step.exit ?? 0, stdout: step.stdout ?? null, stderr: step.stderr ?? null };
  const others = step.alt ?? [];
  const own = others.find(({ versions }) => versions.includes(version));
  if (own !== undefined) return [own];
  return head.versions.includes(version) ? [base] : [base, ...others];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return text;
  }
}

function same(how: Comparison, expected: string | null, actual: string): boolean {
  if (expected === null) return true;
  const trimmed = (text: string): string[] => text.split('\n').map(line => line.trim());
  switch (how) {
    case 'exact':
      return expected === actual;
    case 'json':
      return isDeepStrictEqual(parsed(expected), parsed(actual));
    case 'lines-unordered':
      return expected.split('\n').sort().join('\n') === actual.split('\n').sort().join('\n');
    case 'contains': {
      const printed = trimmed(actual);
      return trimmed(expected).every(line => printed.some(text => text.includes(line)));
    }
    case 'regex':
      return new RegExp(expected, 'm').test(actual);
  }
}

/** What differs, one line each; nothing: it is what was recorded. */
export function differences(step: Step, expected: Printed, actual: Printed): string[] {
  const how = step.compare ?? 'exact';
  const stderr = step.compareStderr ?? (how === 'json' ? 'exact' : how);
  const show = (stream: 'stdout' | 'stderr'): string =>
    `${stream}: expected ${JSON.stringify(expected[stream])}, got ${JSON.stringify(actual[stream])}`;
  return [
    ...(expected.exit === actual.exit ? [] : [`exit: expected ${expected.exit}, got ${actual.exit}`]),
    ...(same(how, expected.stdout, actual.stdout ?? '') ? [] : [show('stdout')]),
    ...(same(stderr, expected.stderr, actual.stderr ?? '') ? [] : [show('stderr')]),
  ];
}

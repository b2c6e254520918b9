import { compareText } from './compare-text.js';

interface KubeVersion {
  readonly major: number;
  /** alpha, beta, stable */
  readonly stability: 0 | 1 | 2;
  readonly minor: number;
}

const FORM = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

function parse(text: string): KubeVersion | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const [, major = '', word, minor = '0'] = found;
  const version = { major: Number(major), minor: Number(minor) };
  // Go's int ends where such a number stops being exact, or soon after.
  if (!Number.isSafeInteger(version.major) || !Number.isSafeInteger(version.minor)) return undefined;
  return { ...version, stability: word === undefined ? 2 : word === 'beta' ? 1 : 0 };
}

/**
 * For sorting API versions, the one that is preferred first: v2, v1, v1beta2, v1beta1, v1alpha1, then what is no such
 * version by the alphabet. Source: apimachinery pkg/version CompareKubeAwareVersionStrings.
 */
export function byKubeVersion(a: string, b: string): number {
  const [one, other] = [parse(a), parse(b)];
  if (one === undefined || other === undefined) {
    if (one !== undefined) return -1;
    if (other !== undefined) return 1;
    return compareText(a, b);
  }
  return other.stability - one.stability || other.major - one.major || other.minor - one.minor;
}

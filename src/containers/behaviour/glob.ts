import { matchesSteps } from '../shell/pattern.js';

/** Whether a text is as a pattern says, in which "*" is any text, "?" any one character. Takes their lengths multiplied at most. */
export function matchesGlob(text: string, pattern: string): boolean {
  const steps = pattern.split('').map(wanted => {
    if (wanted === '*') return 'any';
    return wanted === '?' ? () => true : (c: string) => c === wanted;
  });
  return matchesSteps(steps, text);
}

import { setFlagsFromString } from 'node:v8';

/** When a function is hot enough for machine code: a budget of bytecodes run until V8 12 (node 22), then a count of calls. */
const tiering = (v8: string, patience: number): string[] => {
  if (Number.parseInt(v8) < 12) return [`--interrupt-budget=${67_584 * patience}`];
  return [`--invocation-count-for-turbofan=${3000 * patience}`, `--invocation-count-for-maglev=${400 * patience}`];
};

/** What V8 calls it is told to differ in, by its version ("13.6.233"): it says so on standard error if there is no such flag. */
export const smallFlags = (v8 = process.versions.v8): string[] => [
  '--semi-space-growth-factor=1',
  '--optimize-for-size',
  '--max-lazy',
  ...tiering(v8, 30),
];

/** As node starts without flags. */
export const usualFlags = (v8 = process.versions.v8): string[] => [
  '--semi-space-growth-factor=2',
  '--no-optimize-for-size',
  '--no-max-lazy',
  ...tiering(v8, 1),
];

/**
 * For processes that do little, and of which there are many: the young generation stays small, and machine code is made
 * only for what is really hot. Set here and not on the command line, where any such flag makes node drop its own
 * compiled code and start 30 ms later.
 */
export const saveMemory = (): void => smallFlags().forEach(flag => setFlagsFromString(flag));

/** The opposite, for when such a process turns out to have much to do. */
export const saveTime = (): void => usualFlags().forEach(flag => setFlagsFromString(flag));

import { compilePattern, matchesSteps } from '../../shell/pattern.js';
import type { Options } from '../options.js';

/** What --exclude names, by its whole path or its last part. */
export const excluder = (options: Options): ((name: string) => boolean) => {
  const patterns = options.all('exclude').map(pattern => compilePattern([{ text: pattern, quoted: false }]));
  return name =>
    patterns.some(steps => matchesSteps(steps, name) || matchesSteps(steps, name.slice(name.lastIndexOf('/') + 1)));
};

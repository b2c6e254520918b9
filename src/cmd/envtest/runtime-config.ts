import { FlagError } from '../process.js';

/** Whole sets of versions; the first two are served anyway, of the others nothing is. */
const SETS: ReadonlyMap<string, boolean> = new Map([
  ['api/ga', true],
  ['api/legacy', true],
  ['api/all', false],
  ['api/beta', false],
  ['api/alpha', false],
]);

/** Reads --runtime-config: what is served or not served anyway is taken, other wishes are refused by name. @throws FlagError */
export function checkRuntimeConfig(text: string, served: readonly string[]): string[] {
  const warnings: string[] = [];
  for (const item of text.split(',').map(one => one.trim())) {
    if (item === '') continue;
    const [key = '', value = 'true'] = item.split('=', 2).map(part => part.trim());
    const set = SETS.get(key);
    // Single resources may be named, as in apps/v1/deployments.
    const isServed = set ?? served.some(one => key === one || key.startsWith(`${one}/`));
    const wanted = value === '' || value === 'true';
    if (!wanted && value !== 'false') throw new FlagError(`--runtime-config: invalid value ${key}=${value}`);
    if (set === false && wanted)
      warnings.push(`--runtime-config: ${key}=true has no effect: what is served by default is all there is`);
    else if (isServed !== wanted) throw new FlagError(`--runtime-config: ${key}=${String(wanted)} is not supported`);
  }
  return warnings;
}

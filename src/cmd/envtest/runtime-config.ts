import { loadApi } from '../../api/load.js';
import { FlagError } from '../process.js';

/** Whole sets of versions; the first two are served anyway, of the others nothing is. */
const SETS: ReadonlyMap<string, boolean> = new Map([
  ['api/ga', true],
  ['api/legacy', true],
  ['api/all', false],
  ['api/beta', false],
  ['api/alpha', false],
]);

/** The versions that are served by default, as --runtime-config names them: "v1", "apps/v1". */
export const servedVersions = (): string[] =>
  loadApi().groupVersions.map(({ group, version }) => (group === '' ? version : `${group}/${version}`));

/** What is served of a group, for who has asked for something else of it. */
function others(key: string, served: readonly string[]): string {
  const [group = ''] = key.split('/');
  const found = served.filter(one => one.startsWith(`${group}/`));
  return found.length === 0 ? '' : `: what is served of ${group} is ${found.join(', ')}, and nothing else`;
}

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
    else if (isServed !== wanted)
      throw new FlagError(`--runtime-config: ${key}=${String(wanted)} is not supported${others(key, served)}`);
  }
  return warnings;
}

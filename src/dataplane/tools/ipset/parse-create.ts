import { NetfilterError } from '../../kernel/errors.js';
import { MAX_ELEMENTS } from '../../kernel/ipset/ipset.js';
import { SET_TYPES, type SetType } from '../../kernel/ipset/types.js';
import type { Family } from '../../packet.js';

/** ipset's longest name. */
const MAX_NAME = 31;
const NUMBER = /^\d{1,10}$/;
const INITVAL = /^0x[\da-f]{1,8}$/;

/** What can only be as the simulated sets have it. */
const fixed = (value: string) => (option: string, text: string) => {
  if (text !== value) throw new NetfilterError(`${option} ${text} is not simulated, only ${value}`);
};

/** Of a real hash they say how large it is in memory; nothing here depends on them. */
function size(option: string, text: string): void {
  if (!NUMBER.test(text)) throw new NetfilterError(`Syntax error: '${text}' is invalid as number for ${option}`);
}

type Options = ReadonlyMap<string, (option: string, text: string) => void>;

/** Those that `initval` is not among, which is kept. */
const optionsOf = (type: SetType, family: Family): Options =>
  new Map(
    type === 'bitmap:port'
      ? [['range', fixed('0-65535')]]
      : [
          ['family', fixed(family === 'IPv4' ? 'inet' : 'inet6')],
          ['maxelem', fixed(String(MAX_ELEMENTS))],
          ['hashsize', size],
          ['bucketsize', size],
        ],
  );

export interface CreatedSet {
  readonly type: SetType;
  readonly initval: number | undefined;
}

/** `create NAME TYPE [OPTION VALUE]...`, of a kernel of this family. @throws NetfilterError */
export function parseCreate(name: string, [typeName, ...rest]: readonly string[], family: Family): CreatedSet {
  if (name.length > MAX_NAME) throw new NetfilterError(`Syntax error: setname '${name}' is longer than ${MAX_NAME}`);
  const type = SET_TYPES.find(known => known === typeName);
  if (type === undefined) throw new NetfilterError(`Syntax error: unknown settype '${typeName ?? ''}'`);
  const options = optionsOf(type, family);
  let initval: number | undefined;
  const seen = new Set<string>();
  for (let i = 0; i < rest.length; i += 2) {
    const [option = '', text] = rest.slice(i, i + 2);
    const check = options.get(option);
    const isInitval = option === 'initval' && type !== 'bitmap:port';
    if (check === undefined && !isInitval) throw new NetfilterError(`Unknown argument: \`${option}'`);
    if (text === undefined) throw new NetfilterError(`Missing mandatory argument of option ${option}`);
    check?.(option, text);
    if (isInitval) {
      if (!INITVAL.test(text)) throw new NetfilterError(`Syntax error: '${text}' is invalid as initval`);
      initval = Number(text);
    }
    seen.add(option);
  }
  if (type === 'bitmap:port' && !seen.has('range')) throw new NetfilterError('Mandatory option range is missing');
  // Without the option ipset makes a set of IPv4.
  if (type !== 'bitmap:port' && family === 'IPv6' && !seen.has('family'))
    throw new NetfilterError('family inet is not simulated, only inet6');
  return { type, initval };
}

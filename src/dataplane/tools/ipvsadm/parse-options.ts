import { NetfilterError } from '../../kernel/errors.js';
import type { VirtualService } from '../../kernel/ipvs/types.js';
import type { Family, Protocol } from '../../packet.js';
import { endOf } from './parse-values.js';

type OptionName = Protocol | 'scheduler' | 'persistent' | 'flags' | 'realServer' | 'masquerading' | 'weight';

/** The options of one command by what they mean; those without a value have an empty one. */
export type Options = ReadonlyMap<OptionName, string>;

interface Option {
  readonly name: OptionName;
  /** The command that has it; undefined: both. */
  readonly of?: 'service' | 'server';
  readonly value: 'needed' | 'none' | 'optional';
}

const option = (spellings: readonly string[], option: Option): (readonly [string, Option])[] =>
  spellings.map(spelling => [spelling, option]);

const OPTIONS: ReadonlyMap<string, Option> = new Map([
  ...option(['-t', '--tcp-service'], { name: 'tcp', value: 'needed' }),
  ...option(['-u', '--udp-service'], { name: 'udp', value: 'needed' }),
  ...option(['--sctp-service'], { name: 'sctp', value: 'needed' }),
  ...option(['-s', '--scheduler'], { name: 'scheduler', of: 'service', value: 'needed' }),
  ...option(['-p', '--persistent'], { name: 'persistent', of: 'service', value: 'optional' }),
  ...option(['-b', '--sched-flags'], { name: 'flags', of: 'service', value: 'needed' }),
  ...option(['-r', '--real-server'], { name: 'realServer', of: 'server', value: 'needed' }),
  ...option(['-m', '--masquerading'], { name: 'masquerading', of: 'server', value: 'none' }),
  ...option(['-w', '--weight'], { name: 'weight', of: 'server', value: 'needed' }),
]);

/** Those that ipvsadm knows and the simulated table does not. */
const NOT_SIMULATED: ReadonlySet<string> = new Set([
  ...['-f', '--fwmark-service', '-M', '--netmask', '-o', '--ops', '--pe', '-6', '--ipv6'],
  ...['-g', '--gatewaying', '-i', '--ipip', '-x', '--u-threshold', '-y', '--l-threshold'],
  ...['--tun-type', '--tun-port', '--tun-nocsum', '--tun-csum', '--tun-remcsum'],
]);

/** @throws NetfilterError */
export function readOptions(words: readonly string[], of: 'service' | 'server'): Options {
  const options = new Map<OptionName, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const known = OPTIONS.get(word);
    if (known === undefined)
      throw new NetfilterError(NOT_SIMULATED.has(word) ? `${word} is not simulated` : `unknown option "${word}"`);
    if (known.of !== undefined && known.of !== of)
      throw new NetfilterError(`Illegal '${word}' option with the 'add-${of}' command`);
    if (options.has(known.name)) throw new NetfilterError(`multiple '${word}' options specified`);
    const next = words[i + 1];
    const hasValue = known.value === 'needed' || (known.value === 'optional' && next?.startsWith('-') === false);
    if (hasValue && next === undefined) throw new NetfilterError(`option "${word}" requires an argument`);
    options.set(known.name, hasValue ? (next ?? '') : '');
    if (hasValue) i++;
  }
  return options;
}

const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/** The virtual service that the command is about. @throws NetfilterError */
export function serviceOf(options: Options, family: Family): VirtualService {
  const named = PROTOCOLS.filter(protocol => options.has(protocol));
  const [protocol] = named;
  if (protocol === undefined) throw new NetfilterError("You need to supply the 'service-address' option");
  if (named.length > 1) throw new NetfilterError('protocol option conflict');
  const end = endOf(options.get(protocol) ?? '', family, 'illegal virtual server address[:port] specified');
  return { protocol, ...end };
}

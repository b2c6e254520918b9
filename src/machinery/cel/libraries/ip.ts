import { quote } from '../../go-text.js';
import { bitsOf, formatIP } from '../../ip.js';
import {
  is4In6,
  isGlobalUnicastAddr,
  isLinkLocalMulticast,
  isLinkLocalUnicast,
  isLoopback,
  isUnspecified,
  parseAddr,
  type Addr,
} from '../../netip.js';
import type { Declaration, Library } from '../declarations.js';
import { exactly } from '../ranges.js';
import { BOOL, INT, opaque, STRING } from '../types.js';
import { CelError, type OpaqueValue, type Value } from '../values.js';
import { method, NOMINAL, readsFirst } from './overloads.js';
import { overload } from '../standard/overload.js';

/** Source: k8s.io/apiserver pkg/cel/library/ip.go, pkg/cel/ip.go. */
export const IP_TYPE = opaque('net.IP');

export class IpValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = IP_TYPE;
  constructor(readonly ip: Addr) {}
  get size(): number {
    return bitsOf(this.ip.family) / 8;
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof IpValue && this.ip.family === other.ip.family && this.ip.value === other.ip.value;
  }
}

/** @returns the error's text when it is none */
function read(text: string): Addr | string {
  const ip = parseAddr(text);
  if (typeof ip === 'string') return `IP Address ${quote(text)} parse error during conversion from string: ${ip}`;
  if (ip.zone !== '') return `IP address ${quote(text)} with zone value is not allowed`;
  return is4In6(ip) ? `IPv4-mapped IPv6 address ${quote(text)} is not allowed` : ip;
}

const perRead = (text: string, use: (ip: Addr) => Value): Value => {
  const ip = read(text);
  return typeof ip === 'string' ? new CelError(ip) : use(ip);
};

export const toIp = (text: string): Value => perRead(text, ip => new IpValue(ip));

const question = (name: string, id: string, doc: string, ask: (ip: Addr) => boolean, yes: string): Declaration => ({
  name,
  doc,
  examples: [
    { expr: `ip('${yes}').${name}()`, is: 'true' },
    { expr: `ip('${name === 'isGlobalUnicast' ? '127.0.0.1' : '192.168.0.1'}').${name}()`, is: 'false' },
  ],
  overloads: [method(id, [IP_TYPE], BOOL, ({ ip }: IpValue) => ask(ip), NOMINAL)],
});

export const IP: Library = {
  name: 'kubernetes.net.ip',
  types: [
    {
      type: IP_TYPE,
      doc: 'An IP address.',
      isIdentifier: true,
      equalityCost: 1,
      estimateEquality: () => exactly(1),
    },
  ],
  functions: [
    {
      name: 'ip',
      doc: 'Reads an IP address. Zones and IPv4 addresses that are written as IPv6 are refused.',
      examples: [
        { expr: `ip('127.0.0.1').family()`, is: '4' },
        { expr: `ip('::1') == ip('0:0:0:0:0:0:0:1')`, is: 'true' },
        { expr: `type(ip('::1')) == net.IP`, is: 'true' },
        {
          expr: `ip('127.0.0.256')`,
          error:
            'IP Address "127.0.0.256" parse error during conversion from string: ParseAddr("127.0.0.256"): IPv4 field has value >255',
        },
        { expr: `ip('fe80::1%eth0')`, error: 'IP address "fe80::1%eth0" with zone value is not allowed' },
        { expr: `ip('::ffff:1.2.3.4')`, error: 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed' },
      ],
      overloads: [overload('string_to_ip', [STRING], IP_TYPE, toIp, readsFirst())],
    },
    {
      name: 'family',
      doc: '4 or 6.',
      examples: [
        { expr: `ip('127.0.0.1').family()`, is: '4' },
        { expr: `ip('::1').family()`, is: '6' },
      ],
      overloads: [method('ip_family', [IP_TYPE], INT, ({ ip }: IpValue) => (ip.family === 'IPv4' ? 4n : 6n), NOMINAL)],
    },
    {
      name: 'ip.isCanonical',
      doc: 'Whether a text is an IP address as Go prints it.',
      examples: [
        { expr: `ip.isCanonical('127.0.0.1')`, is: 'true' },
        { expr: `ip.isCanonical('2001:DB8::1')`, is: 'false' },
        {
          expr: `ip.isCanonical('x')`,
          error: 'IP Address "x" parse error during conversion from string: ParseAddr("x"): unable to parse IP',
        },
      ],
      overloads: [
        overload(
          'ip_is_canonical',
          [STRING],
          BOOL,
          (text: string) => perRead(text, ip => formatIP(ip) === text),
          readsFirst(2),
        ),
      ],
    },
    question('isUnspecified', 'ip_is_unspecified', 'Whether it is all zeros.', isUnspecified, '0.0.0.0'),
    question('isLoopback', 'ip_is_loopback', 'Whether it is the machine itself.', isLoopback, '127.1.2.3'),
    question(
      'isLinkLocalMulticast',
      'ip_is_link_local_multicast',
      'Whether it is many on one link.',
      isLinkLocalMulticast,
      'ff02::1',
    ),
    question(
      'isLinkLocalUnicast',
      'ip_is_link_local_unicast',
      'Whether it is one on one link.',
      isLinkLocalUnicast,
      'fe80::1',
    ),
    question(
      'isGlobalUnicast',
      'ip_is_global_unicast',
      'Whether it is none of these, nor broadcast or multicast.',
      isGlobalUnicastAddr,
      '192.168.0.1',
    ),
    {
      name: 'isIP',
      doc: 'Whether ip() can read it.',
      examples: [
        { expr: `isIP('::1')`, is: 'true' },
        { expr: `isIP('127.0.0.01')`, is: 'false' },
      ],
      overloads: [overload('is_ip', [STRING], BOOL, (text: string) => typeof read(text) !== 'string', readsFirst())],
    },
    {
      name: 'string',
      doc: 'As Go prints it.',
      examples: [{ expr: `string(ip('2001:DB8:0::1'))`, is: `'2001:db8::1'` }],
      overloads: [overload('ip_to_string', [IP_TYPE], STRING, ({ ip }: IpValue) => formatIP(ip))],
    },
  ],
};

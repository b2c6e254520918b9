import { quote } from '../../go-text.js';
import { formatIP, networkOf } from '../../ip.js';
import { is4In6, parseAddrPrefix, type Addr, type Prefix } from '../../netip.js';
import type { CallEstimate, Library, Range } from '../declarations.js';
import { addRanges, exactly, scaleRange } from '../ranges.js';
import { BOOL, INT, opaque, STRING } from '../types.js';
import { CelError, noSuchOverload, type OpaqueValue, type Value } from '../values.js';
import { TEXT_COST } from '../standard/sizes.js';
import { textCost } from './costs.js';
import { IpValue, IP_TYPE, toIp } from './ip.js';
import { method, NOMINAL, readsFirst, sizeOfArg } from './overloads.js';
import { overload } from '../standard/overload.js';

/** Source: k8s.io/apiserver pkg/cel/library/cidr.go, pkg/cel/cidr.go. */
const CIDR_TYPE = opaque('net.CIDR');

export class CidrValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = CIDR_TYPE;
  constructor(readonly prefix: Prefix) {}
  get size(): number {
    return Math.ceil(this.prefix.bits / 8);
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof CidrValue && formatPrefix(this.prefix) === formatPrefix(other.prefix);
  }
}

const formatPrefix = ({ ip, bits }: Prefix): string => `${formatIP(ip)}/${bits}`;

/** @returns the error's text when it is none */
function read(text: string): Prefix | string {
  const prefix = parseAddrPrefix(text);
  if (typeof prefix === 'string') return `network address parse error during conversion from string: ${prefix}`;
  return is4In6(prefix.ip) ? `IPv4-mapped IPv6 address ${quote(text)} is not allowed` : prefix;
}

function toCidr(text: string): Value {
  const prefix = read(text);
  // Upstream says it twice.
  return typeof prefix === 'string'
    ? new CelError(`network address parse error during conversion from string: ${prefix}`)
    : new CidrValue(prefix);
}

/** Whether both begin with the same bits. */
const agree = (a: Addr, b: Addr, bits: number): boolean =>
  a.family === b.family && networkOf(a, bits).value === networkOf(b, bits).value;

const containsIp = ({ prefix }: CidrValue, ip: Value): Value =>
  // What is no address makes upstream forget why.
  ip instanceof IpValue ? agree(prefix.ip, ip.ip, prefix.bits) : noSuchOverload();

function containsCidr({ prefix }: CidrValue, other: Value): Value {
  if (!(other instanceof CidrValue)) return other;
  return prefix.bits <= other.prefix.bits && agree(prefix.ip, other.prefix.ip, prefix.bits);
}

/** Of an address: 4 or 16 bytes. */
const BYTES: Range = { min: 4, max: 16 };
const COMPARED = scaleRange(addRanges(BYTES, BYTES), TEXT_COST);
const MASKED = addRanges(addRanges(COMPARED, scaleRange(BYTES, TEXT_COST)), exactly(1));

const ipCost = (args: readonly Value[]): number => textCost(args[0], 2);
const cidrCost = (args: readonly Value[]): number => ipCost(args) + textCost(args[0]) + 1;

const plusRead = (cost: Range) => ({
  estimate: (call: Parameters<typeof sizeOfArg>[0]): CallEstimate => ({
    cost: addRanges(cost, scaleRange(sizeOfArg(call, 1), TEXT_COST)),
  }),
});

export const CIDR: Library = {
  name: 'kubernetes.net.cidr',
  types: [
    {
      type: CIDR_TYPE,
      doc: 'A range of IP addresses, by an address and how many of its bits count.',
      isIdentifier: true,
      equalityCost: 1,
      estimateEquality: () => exactly(1),
    },
  ],
  functions: [
    {
      name: 'cidr',
      doc: 'Reads a range of addresses.',
      examples: [
        { expr: `string(cidr('192.168.0.1/16'))`, is: `'192.168.0.1/16'` },
        { expr: `type(cidr('::1/128')) == net.CIDR`, is: 'true' },
        {
          expr: `cidr('192.168.0.0')`,
          error:
            'network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("192.168.0.0"): no \'/\'',
        },
      ],
      overloads: [overload('string_to_cidr', [STRING], CIDR_TYPE, toCidr, readsFirst())],
    },
    {
      name: 'containsIP',
      doc: 'Whether an address is in the range.',
      examples: [
        { expr: `cidr('192.168.0.0/24').containsIP(ip('192.168.0.1'))`, is: 'true' },
        { expr: `cidr('192.168.0.0/24').containsIP('192.168.1.1')`, is: 'false' },
        { expr: `cidr('192.168.0.0/24').containsIP('::1')`, is: 'false' },
        { expr: `cidr('192.168.0.0/24').containsIP('x')`, error: 'no such overload' },
      ],
      overloads: [
        method(
          'cidr_contains_ip_string',
          [CIDR_TYPE, STRING],
          BOOL,
          (cidr: CidrValue, text: string) => containsIp(cidr, toIp(text)),
          { cost: args => ipCost(args) + textCost(args[1]), ...plusRead(COMPARED) },
        ),
        method('cidr_contains_ip_ip', [CIDR_TYPE, IP_TYPE], BOOL, containsIp, {
          cost: ipCost,
          estimate: () => ({ cost: COMPARED }),
        }),
      ],
    },
    {
      name: 'containsCIDR',
      doc: 'Whether all of another range is in the range.',
      examples: [
        { expr: `cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24'))`, is: 'true' },
        { expr: `cidr('192.168.0.0/24').containsCIDR('192.168.0.0/16')`, is: 'false' },
        {
          expr: `cidr('192.168.0.0/24').containsCIDR('x')`,
          error:
            'network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("x"): no \'/\'',
        },
      ],
      overloads: [
        method(
          'cidr_contains_cidr_string',
          [CIDR_TYPE, STRING],
          BOOL,
          (cidr: CidrValue, text: string) => containsCidr(cidr, toCidr(text)),
          { cost: args => cidrCost(args) + textCost(args[1]), ...plusRead(MASKED) },
        ),
        method('cidr_contains_cidr', [CIDR_TYPE, CIDR_TYPE], BOOL, containsCidr, {
          cost: cidrCost,
          estimate: () => ({ cost: MASKED }),
        }),
      ],
    },
    {
      name: 'ip',
      doc: 'The address that the range was written with.',
      examples: [{ expr: `cidr('192.168.0.1/24').ip() == ip('192.168.0.1')`, is: 'true' }],
      overloads: [method('cidr_ip', [CIDR_TYPE], IP_TYPE, ({ prefix }: CidrValue) => new IpValue(prefix.ip), NOMINAL)],
    },
    {
      name: 'prefixLength',
      doc: 'How many bits count.',
      examples: [{ expr: `cidr('192.168.0.0/24').prefixLength()`, is: '24' }],
      overloads: [
        method('cidr_prefix_length', [CIDR_TYPE], INT, ({ prefix }: CidrValue) => BigInt(prefix.bits), NOMINAL),
      ],
    },
    {
      name: 'masked',
      doc: 'The same range by its first address.',
      examples: [{ expr: `cidr('192.168.1.1/16').masked() == cidr('192.168.0.0/16')`, is: 'true' }],
      overloads: [
        method(
          'cidr_masked',
          [CIDR_TYPE],
          CIDR_TYPE,
          ({ prefix: { ip, bits } }: CidrValue) => new CidrValue({ ip: { ...networkOf(ip, bits), zone: '' }, bits }),
          NOMINAL,
        ),
      ],
    },
    {
      name: 'isCIDR',
      doc: 'Whether cidr() can read it.',
      examples: [
        { expr: `isCIDR('10.0.0.0/8')`, is: 'true' },
        { expr: `isCIDR('10.0.0.0/08')`, is: 'false' },
      ],
      overloads: [overload('is_cidr', [STRING], BOOL, (text: string) => typeof read(text) !== 'string', readsFirst())],
    },
    {
      name: 'string',
      doc: 'As Go prints it.',
      examples: [{ expr: `string(cidr('2001:DB8::/32'))`, is: `'2001:db8::/32'` }],
      overloads: [overload('cidr_to_string', [CIDR_TYPE], STRING, ({ prefix }: CidrValue) => formatPrefix(prefix))],
    },
  ],
};

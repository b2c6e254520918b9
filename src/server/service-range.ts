import { addressAt, parseCidr, parsePrefix, type Cidr } from '../machinery/cidr.js';

/** Upstream's bounds: there must be room for default/kubernetes and the DNS, and Go counts the hosts of a /64 at most. */
const LEAST_ADDRESSES = 8n;
const SHORTEST_IPV6_PREFIX = 64;

const parse = (text: string): Cidr | undefined => (parsePrefix(text) === undefined ? undefined : parseCidr(text));

/** What is wrong with a service range, or with one of each family; undefined: nothing. The texts are kube-apiserver's. */
export function serviceRangeProblem(text: string): string | undefined {
  if (text === '') return '--service-cluster-ip-range must contain at least one valid cidr';
  const [first = '', second, ...more] = text.split(',');
  const primary = parse(first);
  if (primary === undefined) return 'service-cluster-ip-range[0] is not a valid cidr';
  if (primary.last - primary.first + 1n < LEAST_ADDRESSES)
    return `error determining service IP ranges for primary service cidr: the service cluster IP range must be at least ${LEAST_ADDRESSES} IP addresses`;
  const secondary = second === undefined ? undefined : parse(second);
  if (second !== undefined && secondary === undefined) return 'service-cluster-ip-range[1] is not an ip net';
  if (more.length > 0) return '--service-cluster-ip-range must not contain more than two entries';
  if (secondary?.family === primary.family)
    return '--service-cluster-ip-range[0] and --service-cluster-ip-range[1] must be of different IP family';
  for (const { family, prefix } of [primary, ...(secondary === undefined ? [] : [secondary])])
    if (family === 'IPv6' && prefix < SHORTEST_IPV6_PREFIX)
      return `--service-cluster-ip-range: shortest allowed prefix length for service CIDR is ${SHORTEST_IPV6_PREFIX}, got ${prefix}`;
  return undefined;
}

/** The ranges of "10.96.0.0/16" or "10.96.0.0/16,fd00:10:96::/112". @throws RangeError */
export function serviceRanges(text: string): Cidr[] {
  const problem = serviceRangeProblem(text);
  if (problem !== undefined) throw new RangeError(problem);
  return text.split(',').flatMap(one => parseCidr(one) ?? []);
}

/**
 * The address of the API server's Service in each range: the first after the network's own. That of the first range is what
 * default/kubernetes gets. @throws RangeError
 */
export const firstServiceAddresses = (text: string): string[] =>
  serviceRanges(text).flatMap(range => addressAt(range, 1n) ?? []);

/** Endpoints of another family than the Service's would be of no use to anybody. undefined: nothing is wrong. */
export function advertiseProblem(text: string, advertiseAddress: string): string | undefined {
  const [primary] = serviceRanges(text);
  const family = advertiseAddress.includes(':') ? 'IPv6' : 'IPv4';
  return primary === undefined || primary.family === family
    ? undefined
    : `service IP family ${JSON.stringify(primary.text)} must match public address family ${JSON.stringify(advertiseAddress)}`;
}

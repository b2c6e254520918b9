import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { badRequestError, internalError } from '../../machinery/status.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';

/** Where node agents are dialled first: by house convention InternalDNS holds the address that is real on this host. */
const PREFERRED = ['InternalDNS', 'InternalIP', 'Hostname', 'ExternalDNS', 'ExternalIP'];

/** The address that upstream prints in its errors is the one it dials. */
export function kubeletAddress(node: DeepReadonly<Node>): { host: string; port: number } {
  const addresses = node.status?.addresses ?? [];
  for (const type of PREFERRED) {
    const found = addresses.find(a => a.type === type && a.address !== '');
    if (found === undefined) continue;
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
    return { host: found.address, port: port === undefined || port === 0 ? 10250 : port };
  }
  const types = addresses.map(a => `{${a.type} ${a.address}}`).join(' ');
  throw internalError(`no preferred addresses found; known addresses: [${types}]`);
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Nobody's kubelet is there: unspecified, link-local (cloud metadata), multicast, broadcast. */
const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addSubnet('224.0.0.0', 3, 'ipv4');
NEVER.addAddress('::', 'ipv6');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addSubnet('ff00::', 8, 'ipv6');
NEVER.addSubnet('::ffff:0.0.0.0', 104, 'ipv6');
NEVER.addSubnet('::ffff:169.254.0.0', 112, 'ipv6');
NEVER.addSubnet('::ffff:224.0.0.0', 99, 'ipv6');

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

export const isLoopback = (address: string): boolean => isIP(address) !== 0 && LOOPBACK.check(address, family(address));

export const notAllowed = (): Error => badRequestError('address not allowed');

export interface OwnEndpoint {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/**
 * A node names its kubelet's address itself, so that any could be meant. Agents on this machine listen on loopback;
 * whether they are whom their Node says is for their certificates to show. The API server itself is never one.
 */
const isRefused = (address: string, port: number, own: OwnEndpoint): boolean =>
  NEVER.check(address, family(address)) ||
  (port === own.port && (isLoopback(address) || address === own.address?.replace(/^::ffff:/, '')));

/** @throws StatusError 400 for an address that no kubelet can have; names are checked when they are looked up */
export function checkAddress(host: string, port: number, own: OwnEndpoint): void {
  if (isIP(host) !== 0 && isRefused(host, port, own)) throw notAllowed();
}

/** dns.lookup that does not give out what must not be dialled. */
export function checkedLookup(port: number, own: OwnEndpoint): LookupFunction {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return done(error, []);
      if (found.some(({ address }) => isRefused(address, port, own))) return done(notAllowed(), []);
      const [first] = found;
      if (options.all === true || first === undefined) return done(null, found);
      done(null, first.address, first.family);
    });
  };
}

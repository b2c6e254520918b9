import { parseCidr } from '../../../machinery/cidr.js';
import { addressAt } from '../../../machinery/cidr.js';
import type { Family } from '../../../machinery/ip.js';
import { familyOf } from '../../../machinery/ip.js';
import type { Link, LinkAddress, Neighbour, NetworkStack, StackRoute } from '../../network/stack.js';

export type IpForm = 'busybox' | 'iproute2';

export interface IpView {
  readonly form: IpForm;
  readonly brief: boolean;
  readonly oneLine: boolean;
}

const familyText = (address: string): Family => (address.includes(':') ? 'IPv6' : 'IPv4');

const FLAGS: Readonly<Record<Link['kind'], string>> = {
  loopback: 'LOOPBACK,UP,LOWER_UP',
  ethernet: 'BROADCAST,MULTICAST,UP,LOWER_UP',
  veth: 'BROADCAST,MULTICAST,UP,LOWER_UP',
  bridge: 'BROADCAST,MULTICAST,UP,LOWER_UP',
  dummy: 'BROADCAST,NOARP',
};
const QDISC: Readonly<Record<Link['kind'], string>> = {
  loopback: 'noqueue',
  ethernet: 'fq_codel',
  veth: 'noqueue',
  bridge: 'noqueue',
  dummy: 'noop',
};

const stateOf = ({ kind }: Link): string => (kind === 'loopback' ? 'UNKNOWN' : kind === 'dummy' ? 'DOWN' : 'UP');
const nameOf = ({ name, peer }: Link): string => (peer === undefined ? name : `${name}@if${peer}`);

/** The last address of the range, in IPv4. */
function broadcastOf({ address, prefix }: LinkAddress): string | undefined {
  const range = parseCidr(`${address}/${prefix}`);
  if (range === undefined || familyOf(address) !== 'IPv4' || prefix >= 31) return undefined;
  return addressAt(range, range.last - range.first);
}

function addressText(link: Link, own: LinkAddress, { oneLine }: IpView): string {
  const { address, prefix, scope } = own;
  const broadcast = scope === 'global' && link.kind !== 'dummy' ? broadcastOf(own) : undefined;
  const v4 = familyOf(address) === 'IPv4';
  const what = `${v4 ? 'inet' : 'inet6'} ${address}/${prefix}${broadcast === undefined ? '' : ` brd ${broadcast}`} scope ${scope} ${v4 ? link.name : ''}`;
  const lifetime = '       valid_lft forever preferred_lft forever';
  return oneLine ? `${link.index}: ${link.name}    ${what}\\${lifetime}\n` : `    ${what}\n${lifetime}\n`;
}

/** A link, with its addresses of `families` below it; undefined: the link alone. */
export function linkLines(link: Link, families: readonly Family[] | undefined, view: IpView): string {
  const { index, kind, mac, mtu, master, peer } = link;
  const { form, brief, oneLine } = view;
  const shown = link.addresses.filter(({ address }) => families?.includes(familyText(address)) === true);
  // With one family only links that have an address of it are there.
  if (families?.length === 1 && shown.length === 0) return '';
  if (brief) {
    const head = `${nameOf(link).padEnd(16)} ${stateOf(link).padEnd(14)} `;
    if (families === undefined) return `${head}${mac} <${FLAGS[kind]}> \n`;
    return `${head}${shown.map(({ address, prefix }) => `${address}/${prefix} `).join('')}\n`;
  }
  const addresses = shown.map(own => addressText(link, own, view)).join('');
  if (oneLine && families !== undefined) return addresses;
  // BusyBox does not look for a link that is in another namespace.
  const flags = form === 'busybox' && peer !== undefined ? `${FLAGS[kind]},M-DOWN` : FLAGS[kind];
  const on = master === undefined ? '' : `master ${master} `;
  // A link that is asked for by IPv6 tells less.
  const v6 = families?.length === 1 && families[0] === 'IPv6';
  const state = form === 'busybox' ? '' : `state ${stateOf(link)} `;
  const more =
    form === 'busybox' || v6 ? state : `${state}${families === undefined ? 'mode DEFAULT ' : ''}group default `;
  const head = `${index}: ${nameOf(link)}: <${flags}> mtu ${mtu} ${v6 ? '' : `qdisc ${QDISC[kind]} `}${on}${more}qlen 1000`;
  const type = kind === 'loopback' ? 'loopback' : 'ether';
  const brd = kind === 'loopback' ? mac : 'ff:ff:ff:ff:ff:ff';
  const netns = form === 'iproute2' && peer !== undefined ? ' link-netnsid 0' : '';
  const ether = `    link/${type} ${mac} brd ${brd}${netns}`;
  if (oneLine) return `${head}\\${ether}\n`;
  // With a family the hardware is not shown.
  const hardware = families?.length === 1 ? '' : `${ether}\n`;
  return `${head}\n${hardware}${addresses}`;
}

const spaced = (text: string): string => (text === '' ? '' : ` ${text}`);
const rangeText = (range: string): string => range.replace(/\/(32|128)$/, '');

/** The routes of a family, or those of one link. */
export function routeLines(
  stack: NetworkStack,
  family: Family,
  { form, dev }: IpView & { readonly dev: string | undefined },
): string {
  const v6 = family === 'IPv6';
  const text = ({ destination, link, via, source }: StackRoute): string => {
    const onLink = via === undefined ? `proto kernel ` : '';
    const scope = via === undefined && !v6 ? `scope link ` : '';
    const src = source === undefined || v6 ? '' : `src ${source} `;
    const metric = v6 ? `metric ${via === undefined ? 256 : 1024} ` : '';
    const by = `${rangeText(destination)} ${via === undefined ? '' : `via ${via} `}`;
    // BusyBox knows no protocol names.
    if (form === 'busybox') return `${by}dev ${link} ${scope}${spaced(src)}${spaced(metric)}\n`;
    const line = `${by}${dev === undefined ? `dev ${link} ` : ''}${onLink}${scope}${src}${metric}`;
    return v6 ? `${line}pref medium\n` : `${line}\n`;
  };
  const routes = stack.routes(family).filter(({ link }) => dev === undefined || link === dev);
  if (!v6) return routes.map(text).join('');
  const local = stack
    .links()
    .filter(({ kind, name }) => kind !== 'loopback' && kind !== 'dummy' && (dev === undefined || name === dev))
    .map(({ name }): StackRoute => ({ destination: 'fe80::/64', link: name }));
  const ranges = [...routes.filter(({ destination }) => destination !== 'default'), ...local];
  return [...ranges, ...routes.filter(({ destination }) => destination === 'default')].map(text).join('');
}

/** The route that a packet to an address takes; undefined: there is none. */
export function findRoute(stack: NetworkStack, to: string): StackRoute | undefined {
  const family = familyText(to);
  const length = ({ destination }: StackRoute): number => parseCidr(destination)?.prefix ?? 0;
  return stack
    .routes(family)
    .filter(({ destination }) => destination === 'default' || parseCidr(destination)?.contains(to) === true)
    .sort((a, b) => length(b) - length(a))[0];
}

/** What `ip route get` says; undefined: there is no way. */
export function routeOf(stack: NetworkStack, to: string, form: IpForm, uid: number): string | undefined {
  const user = form === 'iproute2' ? `uid ${uid} ` : '';
  const cache = form === 'iproute2' ? '    cache' : '';
  const own = stack
    .links()
    .flatMap(link => link.addresses.map(address => ({ link, address })))
    .find(({ link, address }) => address.address === to || (link.kind === 'loopback' && to.startsWith('127.')));
  if (own !== undefined)
    return form === 'iproute2'
      ? `local ${to} dev lo src ${to} ${user}\n${cache} <local> \n`
      : `local ${to} dev lo  src ${to} \n`;
  const route = findRoute(stack, to);
  if (route === undefined) return undefined;
  const link = stack.links().find(({ name }) => name === route.link);
  const source =
    route.source ??
    link?.addresses.find(({ address, scope }) => scope === 'global' && familyText(address) === familyText(to))?.address;
  const src = source === undefined ? '' : `src ${source} `;
  const via = route.via === undefined ? '' : `via ${route.via} `;
  const by = `${to} ${via}dev ${route.link} `;
  return form === 'iproute2' ? `${by}${src}${user}\n${cache} \n` : `${by}${spaced(src)}\n`;
}

export const neighbourLines = (neighbours: readonly Neighbour[], { form, brief }: IpView): string =>
  neighbours
    .map(({ address, link, mac, state }) =>
      brief
        ? `${address.padEnd(39)} ${link.padEnd(16)} ${mac}\n`
        : form === 'busybox'
          ? `${address} dev ${link} lladdr ${mac} ${state === 'REACHABLE' ? 'ref 1 ' : ''}used 0/0/0 probes 0 ${state}\n`
          : `${address} dev ${link} lladdr ${mac} ${state} \n`,
    )
    .join('');

export const ruleLines = (v6: boolean, form: IpForm): string =>
  ['0:\tfrom all lookup local', '32766:\tfrom all lookup main', ...(v6 ? [] : ['32767:\tfrom all lookup default'])]
    .map(line => `${line}${form === 'busybox' ? ' ' : ''}\n`)
    .join('');

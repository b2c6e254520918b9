import { isIPv4, isIPv6 } from 'node:net';
import { canonicalIP } from '../machinery/ip.js';
import { type Found, findNames, findTargets, type Target } from './lookup.js';
import type { Query } from './message.js';
import { type Answer, AXFR, CLASS_IN, IXFR, RCODE, type Rcode, RECORD_TYPES, type ResourceRecord } from './records.js';
import type { ClusterState } from './state.js';

export interface ResolverOptions {
  readonly state: ClusterState;
  /** E.g. "cluster.local". */
  readonly clusterDomain: string;
  /** The Service this server answers for, which the zone's NS record names. */
  readonly self: { readonly namespace: string; readonly name: string };
  /** In [0, 1): shuffles address records. Undefined keeps them in order. */
  readonly random?: () => number;
}

/** CoreDNS's kubernetes plugin's default. */
const TTL = 5;
const DNS_VERSION = { text: '1.1.0', ttl: 28_800 };
const REVERSE_ZONES = ['in-addr.arpa', 'ip6.arpa'];
const MAX_CNAMES = 8;

/**
 * Answers one question. A name outside of the cluster's zones does not exist: what stands behind the cluster's server is a
 * root zone that delegates nothing, and a search path that ends outside must end in NXDOMAIN, not in a fault.
 */
export function createResolver(options: ResolverOptions): (query: Query) => Answer {
  const { state } = options;
  const clusterDomain = options.clusterDomain.toLowerCase();
  const zones = [clusterDomain, ...REVERSE_ZONES].map(zone => zone.split('.'));

  return query => {
    if (query.class !== CLASS_IN) return failure(RCODE.REFUSED);
    const labels = query.labels.map(label => label.toLowerCase());
    if (query.type === AXFR || query.type === IXFR) return failure(RCODE.REFUSED);
    const zone = zones.find(candidate => candidate.every((label, i) => labels.at(i - candidate.length) === label));
    if (zone === undefined) return outside(labels, query.type, state.serial);

    const question: Question = {
      options: { ...options, clusterDomain },
      name: query.labels.join('.'),
      labels,
      relative: labels.slice(0, labels.length - zone.length),
      zone: zone.join('.'),
      // As the client wrote it, so that a resolver which checks the case (0x20) is content.
      zoneText: query.labels.slice(-zone.length).join('.'),
    };
    const found = answerType(question, query.type);
    if (found === undefined) {
      // Before everything is known, nobody can say that a name does not exist.
      return state.synced ? negative(question, RCODE.NXDOMAIN) : failure(RCODE.SERVFAIL);
    }
    if (found.answers.length === 0) return negative(question, RCODE.NOERROR);
    return {
      rcode: RCODE.NOERROR,
      authoritative: true,
      answers: shuffleAddresses(found.answers, options.random),
      authority: [],
      additional: found.additional,
    };
  };
}

/** As a forwarding server passes on what the root's servers said: not authoritative, recursion was available. */
function outside(labels: readonly string[], type: number, serial: number): Answer {
  const root: ResourceRecord = {
    ...SOA_TIMES,
    type: 'SOA',
    name: '',
    primary: 'ns.dns',
    mailbox: 'hostmaster',
    serial,
  };
  const apex = labels.length === 0;
  const asked = apex && type === RECORD_TYPES.SOA;
  return {
    rcode: apex ? RCODE.NOERROR : RCODE.NXDOMAIN,
    authoritative: false,
    recursive: true,
    answers: asked ? [root] : [],
    authority: asked ? [] : [root],
    additional: [],
  };
}

interface Question {
  readonly options: ResolverOptions;
  /** As asked. */
  readonly name: string;
  readonly labels: readonly string[];
  /** Without the zone, in lower case. */
  readonly relative: readonly string[];
  readonly zone: string;
  readonly zoneText: string;
}

interface Records {
  readonly answers: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
}

const NOTHING: Records = { answers: [], additional: [] };
const only = (answers: readonly ResourceRecord[]): Records => ({ answers, additional: [] });

function failure(rcode: Rcode): Answer {
  return { rcode, authoritative: false, answers: [], authority: [], additional: [] };
}

function negative(question: Question, rcode: Rcode): Answer {
  return { rcode, authoritative: true, answers: [], authority: [soa(question)], additional: [] };
}

const SOA_TIMES = { ttl: TTL, refresh: 7200, retry: 1800, expire: 86_400, minimum: TTL } as const;

const soa = ({ zoneText, options }: Question): ResourceRecord => ({
  ...SOA_TIMES,
  type: 'SOA',
  name: zoneText,
  primary: `ns.dns.${zoneText}`,
  mailbox: `hostmaster.${zoneText}`,
  serial: options.state.serial,
});

/** Undefined: no such name. */
function answerType(question: Question, type: number): Records | undefined {
  const apex = question.relative.length === 0;
  switch (type) {
    case RECORD_TYPES.A:
      return answerAddress(question, 'A');
    case RECORD_TYPES.AAAA:
      return answerAddress(question, 'AAAA');
    case RECORD_TYPES.SRV:
      return answerSrv(question);
    case RECORD_TYPES.PTR:
      return answerPtr(question);
    case RECORD_TYPES.TXT:
      return answerTxt(question);
    case RECORD_TYPES.CNAME: {
      const [target] = find(question) ?? [];
      if (target === undefined) return find(question) && NOTHING;
      return isAddress(target.host) ? NOTHING : only([cname(question.name, target)]);
    }
    case RECORD_TYPES.SOA:
      if (apex) return only([soa(question)]);
      break;
    case RECORD_TYPES.NS:
      if (apex) return answerNs(question);
      break;
    default:
  }
  // A type that is never there: the name decides between "no data" and "no name".
  return find(question) && NOTHING;
}

function find(question: Question): Found {
  if (isNameServer(question)) return nameServerTargets(question);
  if (question.zone !== question.options.clusterDomain) return question.relative.length === 0 ? [] : undefined;
  return findTargets(question.options.state, question.zone, question.relative);
}

const isNameServer = ({ relative }: Question): boolean =>
  relative.length === 2 && relative[0] === 'ns' && relative[1] === 'dns';

/** "ns.dns.<zone>" is this server's own Service. */
function nameServerTargets({ options, zone }: Question): readonly Target[] {
  const { namespace, name } = options.self;
  const ips = options.state.service(namespace, name)?.spec?.clusterIPs ?? [];
  return ips.filter(isAddress).map(host => ({ host, port: 0, name: `${name}.${namespace}.svc.${zone}` }));
}

const isAddress = (host: string): boolean => isIPv4(host) || isIPv6(host);

function addressRecord(name: string, host: string): ResourceRecord {
  return { type: isIPv4(host) ? 'A' : 'AAAA', name, ttl: TTL, address: host };
}

const cname = (name: string, { host }: Target): ResourceRecord => ({ type: 'CNAME', name, ttl: TTL, target: host });

function answerAddress(question: Question, type: 'A' | 'AAAA', chain: readonly string[] = []): Records | undefined {
  const targets = find(question);
  if (targets === undefined) return undefined;
  const answers: ResourceRecord[] = [];
  const seen = new Set<string>();
  for (const target of targets) {
    if (!isAddress(target.host)) answers.push(...followName(question, target, type, chain));
    else if (!seen.has(target.host) && isIPv4(target.host) === (type === 'A')) {
      seen.add(target.host);
      answers.push(addressRecord(question.name, target.host));
    }
  }
  return only(answers);
}

/** An ExternalName inside of the zone is resolved to its end; the client must ask somebody else for another. */
function followName(
  question: Question,
  target: Target,
  type: 'A' | 'AAAA',
  chain: readonly string[],
): ResourceRecord[] {
  const name = target.host.toLowerCase();
  const asked = question.labels.join('.');
  if (name === asked || chain.includes(name) || chain.length >= MAX_CNAMES) return [];
  const record = cname(question.name, target);
  if (name !== question.zone && !name.endsWith(`.${question.zone}`)) return [record];
  const labels = name.split('.');
  const relative = labels.slice(0, labels.length - question.zone.split('.').length);
  const next = answerAddress({ ...question, name: target.host, labels, relative }, type, [...chain, asked]);
  return next === undefined || next.answers.length === 0 ? [] : [record, ...next.answers];
}

function answerSrv(question: Question): Records | undefined {
  const targets = find(question)?.filter(target => isAddress(target.host));
  if (targets === undefined) return undefined;
  // All have the same weight, and the weights sum up to 100.
  const weight = Math.max(1, Math.floor(100 / targets.length));
  const answers = new Map<string, ResourceRecord>();
  const additional = new Map<string, ResourceRecord>();
  for (const { host, port, name } of targets) {
    if (port === -1) continue;
    answers.set(`${name} ${port}`, {
      type: 'SRV',
      name: question.name,
      ttl: TTL,
      priority: 0,
      weight,
      port,
      target: name,
    });
    additional.set(`${name} ${host}`, addressRecord(name, host));
  }
  return { answers: [...answers.values()], additional: [...additional.values()] };
}

function answerPtr(question: Question): Records | undefined {
  const ip = reverseAddress(question);
  if (ip === undefined) return find(question) && NOTHING;
  const names = findNames(question.options.state, question.options.clusterDomain, ip);
  if (names.length === 0) return undefined;
  return only(names.map(target => ({ type: 'PTR', name: question.name, ttl: TTL, target })));
}

/** The address in a reverse name; undefined when it is none, or no whole one. */
function reverseAddress({ zone, relative }: Question): string | undefined {
  const parts = [...relative].reverse();
  if (zone === 'in-addr.arpa') {
    const text = parts.join('.');
    return isIPv4(text) ? text : undefined;
  }
  if (zone !== 'ip6.arpa' || parts.length !== 32 || !parts.every(part => /^[0-9a-f]$/.test(part))) return undefined;
  const groups = parts.join('').match(/.{4}/g) ?? [];
  return canonicalIP(groups.join(':'));
}

function answerTxt(question: Question): Records | undefined {
  const { name, relative } = question;
  if (relative.length === 1 && relative[0] === 'dns-version') return only([{ type: 'TXT', name, ...DNS_VERSION }]);
  const targets = find(question);
  return targets !== undefined && targets.length > 0 ? NOTHING : undefined;
}

function answerNs(question: Question): Records {
  const targets = nameServerTargets(question);
  const [first] = targets;
  if (first === undefined) return NOTHING;
  return {
    answers: [{ type: 'NS', name: question.name, ttl: TTL, target: first.name }],
    additional: targets.map(({ name, host }) => addressRecord(name, host)),
  };
}

/** As CoreDNS's loadbalance plugin, so that clients that take the first address spread over all. */
function shuffleAddresses(records: readonly ResourceRecord[], random?: () => number): readonly ResourceRecord[] {
  const isAddressRecord = (record: ResourceRecord): boolean => record.type === 'A' || record.type === 'AAAA';
  const addresses = records.filter(isAddressRecord);
  if (random === undefined || addresses.length < 2) return records;
  for (let i = addresses.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [addresses[i], addresses[j]];
    if (a === undefined || b === undefined) continue;
    addresses[i] = b;
    addresses[j] = a;
  }
  return [...records.filter(record => !isAddressRecord(record)), ...addresses];
}

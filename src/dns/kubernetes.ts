import { familyOf } from '../machinery/ip.js';
import { type Found, findNames, findTargets, type Target } from './lookup.js';
import type { Query } from './message.js';
import { isBelow, type Question, reverseAddress, sibling } from './question.js';
import {
  type Answer,
  AXFR,
  emptyAnswer,
  IXFR,
  RCODE,
  type Rcode,
  RECORD_TYPES,
  type ResourceRecord,
} from './records.js';
import type { ClusterState } from './state.js';

export interface KubernetesOptions {
  readonly state: ClusterState;
  /** In lower case. */
  readonly clusterDomain: string;
  /** The Service this server answers for, which the zone's NS record names. */
  readonly self: { readonly namespace: string; readonly name: string };
}

/** A name that is none of the cluster's: its records stand where this stands. */
export interface OutsideName {
  readonly outside: string;
  readonly type: 'A' | 'AAAA';
}

export type PartialRecord = ResourceRecord | OutsideName;
/** An answer in which names of others may be missing. */
export type PartialAnswer = Omit<Answer, 'answers'> & { readonly answers: readonly PartialRecord[] };

/** kubeadm's Corefile. */
const TTL = 30;
const DNS_VERSION = { text: '1.1.0', ttl: 28_800 };
const MAX_CNAMES = 10;
/** Of one answer. */
const MAX_FOLLOWED = 32;

/** What CoreDNS's kubernetes plugin answers; undefined when there is no such name. */
export function answerFromCluster(
  options: KubernetesOptions,
  question: Question,
  type: Query['type'],
): PartialAnswer | undefined {
  if (type === AXFR || type === IXFR) return emptyAnswer(RCODE.REFUSED);
  const { state, clusterDomain, self } = options;
  const { name, labels, relative, zone, zoneText } = question;
  // Written out: a spread costs a tenth of an answer.
  const follow = { left: MAX_FOLLOWED };
  const found = answerType({ state, clusterDomain, self, name, labels, relative, zone, zoneText, follow }, type);
  if (found === undefined) return undefined;
  const { answers, additional } = found;
  if (answers.length === 0) return negative(state, question, RCODE.NOERROR);
  return { rcode: RCODE.NOERROR, authoritative: true, answers, authority: [], additional };
}

/** With the zone's SOA record. */
export const negative = (state: ClusterState, question: Question, rcode: Rcode): Answer => ({
  rcode,
  authoritative: true,
  answers: [],
  authority: [soa(state, question.zoneText)],
  additional: [],
});

interface Asked extends KubernetesOptions, Question {
  /** Names that may still be followed: a Service whose endpoints are names could lead to many, and each to many more. */
  readonly follow: { left: number };
}

interface Records {
  readonly answers: readonly PartialRecord[];
  readonly additional: readonly ResourceRecord[];
}

const NOTHING: Records = { answers: [], additional: [] };
const only = (answers: readonly PartialRecord[]): Records => ({ answers, additional: [] });

const soa = (state: ClusterState, zone: string): ResourceRecord => ({
  type: 'SOA',
  name: zone,
  ttl: TTL,
  primary: `ns.dns.${zone}`,
  mailbox: `hostmaster.${zone}`,
  serial: state.serial,
  refresh: 7200,
  retry: 1800,
  expire: 86_400,
  minimum: TTL,
});

/** Undefined: no such name. */
function answerType(asked: Asked, type: number): Records | undefined {
  const apex = asked.relative.length === 0;
  switch (type) {
    case RECORD_TYPES.A:
      return answerAddress(asked, 'A');
    case RECORD_TYPES.AAAA:
      return answerAddress(asked, 'AAAA');
    case RECORD_TYPES.SRV:
      return isNameServer(asked) ? NOTHING : answerSrv(asked);
    case RECORD_TYPES.PTR:
      return answerPtr(asked);
    case RECORD_TYPES.TXT:
      return answerTxt(asked);
    case RECORD_TYPES.CNAME: {
      const targets = isNameServer(asked) ? [] : find(asked);
      const [target] = targets ?? [];
      if (target === undefined || familyOf(target.host) !== undefined) return targets && NOTHING;
      return only([cname(asked.name, target)]);
    }
    case RECORD_TYPES.SOA:
      // Upstream looks at no name but the zone's own: any other has no SOA record, and that is all it says.
      return apex ? only([soa(asked.state, asked.zoneText)]) : NOTHING;
    case RECORD_TYPES.NS:
      if (apex && isLower(asked)) return answerNs(asked);
      break;
    default:
  }
  // A type that is never there: the name decides between "no data" and "no name".
  return isNameServer(asked) || find(asked) !== undefined ? NOTHING : undefined;
}

function find({ state, clusterDomain, zone, zoneText, relative }: Asked): Found {
  if (zone === clusterDomain) return findTargets(state, zoneText, relative);
  const [only] = relative;
  return only === undefined || (relative.length === 1 && (only === 'svc' || only === 'pod')) ? [] : undefined;
}

const isLower = ({ zone, zoneText }: Question): boolean => zone === zoneText;

const isNameServer = (question: Question): boolean =>
  question.relative.length === 2 &&
  question.relative[0] === 'ns' &&
  question.relative[1] === 'dns' &&
  isLower(question);

/** "ns.dns.<zone>" is this server's own Service. */
function nameServerTargets({ state, self, zone }: Asked): readonly Target[] {
  const ips = state.service(self.namespace, self.name)?.spec?.clusterIPs ?? [];
  const name = `${self.name}.${self.namespace}.svc.${zone}`;
  return ips.filter(ip => familyOf(ip) !== undefined).map(host => ({ host, port: 0, name }));
}

const addressRecord = (name: string, host: string): ResourceRecord => ({
  type: host.includes(':') ? 'AAAA' : 'A',
  name,
  ttl: TTL,
  address: host,
});

const cname = (name: string, { host }: Target): ResourceRecord => ({ type: 'CNAME', name, ttl: TTL, target: host });

function answerAddress(asked: Asked, type: 'A' | 'AAAA', chain: readonly string[] = []): Records | undefined {
  const targets = isNameServer(asked) ? nameServerTargets(asked) : find(asked);
  if (targets === undefined) return undefined;
  const answers: PartialRecord[] = [];
  const seen = new Set<string>();
  for (const target of targets) {
    const family = familyOf(target.host);
    if (family === undefined) answers.push(...followName(asked, target, type, chain));
    else if ((family === 'IPv4') === (type === 'A') && !seen.has(target.host)) {
      seen.add(target.host);
      answers.push(addressRecord(asked.name, target.host));
    }
  }
  return only(answers);
}

/** A name of the same zone is resolved to its end; another is somebody else's. */
function followName(
  asked: Asked,
  target: Target,
  type: 'A' | 'AAAA',
  chain: readonly string[],
): readonly PartialRecord[] {
  const name = target.host.toLowerCase();
  if (isBelow(asked, name) || chain.includes(name) || chain.length > MAX_CNAMES) return [];
  if (--asked.follow.left < 0) return [];
  const record = cname(asked.name, target);
  const next = sibling(asked, target.host);
  if (next === undefined) return [record, { outside: target.host, type }];
  const found = answerAddress({ ...asked, ...next }, type, [...chain, name]);
  return found === undefined || found.answers.length === 0 ? [] : [record, ...found.answers];
}

function answerSrv(asked: Asked): Records | undefined {
  const targets = find(asked)?.filter(target => familyOf(target.host) !== undefined);
  if (targets === undefined) return undefined;
  // Each weighs 100 of the sum; the order of the operations is upstream's, which shows in the rounding.
  const weight = Math.max(1, Math.floor((100 / (100 * targets.length)) * 100));
  const answers = new Map<string, ResourceRecord>();
  const additional = new Map<string, ResourceRecord>();
  for (const { host, port, name: target } of targets) {
    if (port === -1) continue;
    const key = `${target} ${port}`;
    if (!answers.has(key))
      answers.set(key, { type: 'SRV', name: asked.name, ttl: TTL, priority: 0, weight, port, target });
    additional.set(`${target} ${host}`, addressRecord(target, host));
  }
  return { answers: [...answers.values()], additional: [...additional.values()] };
}

function answerPtr(asked: Asked): Records | undefined {
  const ip = reverseAddress(asked);
  if (ip === undefined) return find(asked) && NOTHING;
  const names = findNames(asked.state, asked.clusterDomain, ip);
  if (names.length === 0) return undefined;
  return only(names.map(target => ({ type: 'PTR', name: asked.name, ttl: TTL, target })));
}

function answerTxt(asked: Asked): Records | undefined {
  const { name, relative } = asked;
  if (relative.length === 1 && relative[0] === 'dns-version') return only([{ type: 'TXT', name, ...DNS_VERSION }]);
  // Upstream: what exists and holds nothing of its own has no name where text is asked for.
  return (find(asked) ?? []).length > 0 ? NOTHING : undefined;
}

function answerNs(asked: Asked): Records {
  const targets = nameServerTargets(asked);
  const [first] = targets;
  if (first === undefined) return NOTHING;
  return {
    answers: [{ type: 'NS', name: asked.name, ttl: TTL, target: first.name }],
    additional: targets.map(({ name, host }) => addressRecord(name, host)),
  };
}

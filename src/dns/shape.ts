import { OPCODE, type Query } from './message.js';
import { type Answer, AXFR, IXFR, RCODE, type ResourceRecord } from './records.js';

/** What "cache 30" allows, in seconds. */
const MIN_TTL = 5;
const MAX_TTL = 30;

/** All records of an answer have one time to live, the shortest, between 5 and 30 seconds; what is no plain answer has 5. */
export function timeToLive({ opcode, type }: Query, answer: Answer): number {
  const plain = answer.rcode === RCODE.NOERROR || answer.rcode === RCODE.NXDOMAIN;
  if (!plain || opcode !== OPCODE.QUERY || type === AXFR || type === IXFR) return MIN_TTL;
  let least = isEmpty(answer) ? MIN_TTL : MAX_TTL;
  for (const records of [answer.answers, answer.authority, answer.additional])
    for (const record of records) least = Math.min(least, record.ttl);
  return Math.max(least, MIN_TTL);
}

const isEmpty = ({ answers, authority, additional }: Answer): boolean =>
  answers.length + authority.length + additional.length === 0;

export function withOneTtl(answer: Answer, ttl: number): Answer {
  const sections = [answer.answers, answer.authority, answer.additional] as const;
  if (sections.every(records => records.every(record => record.ttl === ttl))) return answer;
  const shaped = (records: readonly ResourceRecord[]): ResourceRecord[] => records.map(record => ({ ...record, ttl }));
  return {
    ...answer,
    answers: shaped(answer.answers),
    authority: shaped(answer.authority),
    additional: shaped(answer.additional),
  };
}

/** CoreDNS's loadbalance plugin: aliases first, addresses shuffled, so that clients that take the first spread over all. */
export function shuffled(answer: Answer, random: () => number): Answer {
  const { answers, authority, additional } = answer;
  if (answers.length < 2 && authority.length < 2 && additional.length < 2) return answer;
  const inOrder = (records: readonly ResourceRecord[]): readonly ResourceRecord[] =>
    records.length < 2 ? records : shuffle(records, random);
  return {
    ...answer,
    answers: inOrder(answers),
    authority: inOrder(authority),
    additional: inOrder(additional),
  };
}

function shuffle(records: readonly ResourceRecord[], random: () => number): ResourceRecord[] {
  const groups: Record<'aliases' | 'rest' | 'addresses' | 'mail', ResourceRecord[]> = {
    aliases: [],
    rest: [],
    addresses: [],
    mail: [],
  };
  for (const record of records) groups[groupOf(record)].push(record);
  return [...groups.aliases, ...groups.rest, ...permuted(groups.addresses, random), ...permuted(groups.mail, random)];
}

function groupOf({ type }: ResourceRecord): 'aliases' | 'rest' | 'addresses' | 'mail' {
  if (type === 'CNAME') return 'aliases';
  if (type === 'A' || type === 'AAAA') return 'addresses';
  return type === 'MX' ? 'mail' : 'rest';
}

function permuted(records: ResourceRecord[], random: () => number): ResourceRecord[] {
  for (let i = 0; i < records.length - 1; i++) {
    const j = i + Math.floor(random() * (records.length - i));
    const [a, b] = [records[i], records[j]];
    if (a === undefined || b === undefined) continue;
    records[i] = b;
    records[j] = a;
  }
  return records;
}

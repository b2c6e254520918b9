import { NOBODY_OUTSIDE } from '../machinery/nobody-outside.js';
import type { Forward, Transport } from './forward.js';
import {
  answerFromCluster,
  type KubernetesOptions,
  negative,
  type OutsideName,
  type PartialAnswer,
  type PartialRecord,
} from './kubernetes.js';
import type { Query } from './message.js';
import { questionIn, zoneOf } from './question.js';
import { type Answer, AXFR, CLASS_IN, emptyAnswer, IXFR, RCODE, RECORD_TYPES, type ResourceRecord } from './records.js';
import { shuffled, timeToLive, withOneTtl } from './shape.js';

export interface ResolverOptions extends KubernetesOptions {
  /** In [0, 1): shuffles address records. Undefined keeps them in order. */
  readonly random?: () => number;
  /** Who is asked for names that are not the cluster's; without it they do not exist. */
  readonly forward?: Forward;
}

/** Most answers are there at once; what others must be asked for is not. */
export type Resolve = (query: Query, transport: Transport) => Answer | Promise<Answer>;

/** Answers one question as CoreDNS with kubeadm's Corefile does. */
export function createResolver(options: ResolverOptions): Resolve {
  const { state, forward, random } = options;
  const clusterDomain = options.clusterDomain.toLowerCase();
  const cluster = { ...options, clusterDomain };
  const zones = [zoneOf(clusterDomain, false), zoneOf('in-addr.arpa', true), zoneOf('ip6.arpa', true)];

  function outside(query: Query, transport: Transport): Answer | Promise<Answer> {
    return forward === undefined ? outsideWorld(query, state.serial) : forward.ask(query, transport);
  }

  function resolve(query: Query, transport: Transport): PartialAnswer | Promise<Answer> {
    const found = questionIn(zones, query);
    if (found === undefined) return outside(query, transport);
    const { question, zone } = found;
    const answer = answerFromCluster(cluster, question, query.type);
    if (answer !== undefined) return answer;
    if (zone.fallthrough) return outside(query, transport);
    // Before everything is known, nobody can say that a name does not exist.
    return negative(state, question, state.synced ? RCODE.NXDOMAIN : RCODE.SERVFAIL);
  }

  function shape(query: Query, answer: Answer): Answer {
    const timed = withOneTtl(answer, timeToLive(query, answer));
    return random === undefined || timed.rcode !== RCODE.NOERROR ? timed : shuffled(timed, random);
  }

  /** Asks for each name that is somebody else's; what nobody knows is left out. */
  async function complete(answer: PartialAnswer, query: Query, transport: Transport, by: Forward): Promise<Answer> {
    let truncated = false;
    const answers = await Promise.all(
      answer.answers.map(async record => {
        if (!isOutside(record)) return [record];
        const labels = record.outside.split('.');
        const asked = { ...query, name: record.outside, labels, type: RECORD_TYPES[record.type], class: CLASS_IN };
        const resolved = await by.ask(asked, transport);
        truncated ||= resolved.truncated === true;
        return resolved.answers;
      }),
    );
    return { ...answer, truncated, answers: answers.flat() };
  }

  return (query, transport) => {
    const answer = resolve(query, transport);
    const finish = (whole: Answer): Answer => shape(query, whole);
    if (answer instanceof Promise) return answer.then(finish);
    if (isWhole(answer)) return finish(answer);
    if (forward !== undefined) return complete(answer, query, transport, forward).then(finish);
    return finish({ ...answer, answers: answer.answers.filter(isRecord) });
  };
}

const isOutside = (record: PartialRecord): record is OutsideName => 'outside' in record;
const isWhole = (answer: PartialAnswer): answer is Answer => !answer.answers.some(isOutside);
const isRecord = (record: PartialRecord): record is ResourceRecord => !isOutside(record);

/**
 * Without an upstream server, what stands behind this one is a root zone that delegates nothing: a search path that ends
 * outside must end in NXDOMAIN, not in a fault. As a forwarding server passes on what the root's servers said: not
 * authoritative, recursion was available.
 */
function outsideWorld({ labels, type }: Query, serial: number): Answer {
  if (type === AXFR || type === IXFR) return emptyAnswer(RCODE.REFUSED);
  const root: ResourceRecord = {
    type: 'SOA',
    name: '',
    ttl: ROOT_TTL,
    primary: NOBODY_OUTSIDE,
    mailbox: 'hostmaster',
    serial,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ROOT_TTL,
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

const ROOT_TTL = 30;

import { canonicalIP, parseIPv4 } from '../machinery/ip.js';
import type { Query } from './message.js';

/** A query for a name of a zone of the cluster. */
export interface Question {
  /** As asked. */
  readonly name: string;
  /** In lower case. */
  readonly labels: readonly string[];
  /** Without the zone, in lower case. */
  readonly relative: readonly string[];
  readonly zone: string;
  /** As the client wrote it, so that a resolver which checks the case (0x20) is content. */
  readonly zoneText: string;
}

export interface Zone {
  readonly name: string;
  readonly labels: readonly string[];
  /** What is not known here may be known upstream. */
  readonly fallthrough: boolean;
}

export const zoneOf = (name: string, fallthrough: boolean): Zone => ({
  name: name.toLowerCase(),
  labels: name.toLowerCase().split('.'),
  fallthrough,
});

const lower = (labels: readonly string[]): string[] => labels.map(label => label.toLowerCase());

const isIn = (labels: readonly string[], zone: readonly string[]): boolean =>
  labels.length >= zone.length && zone.every((label, i) => labels[labels.length - zone.length + i] === label);

/** Undefined: of none of these zones. */
export function questionIn(
  zones: readonly Zone[],
  { name, labels: asked }: Pick<Query, 'name' | 'labels'>,
): { question: Question; zone: Zone } | undefined {
  const labels = lower(asked);
  const zone = zones.find(candidate => isIn(labels, candidate.labels));
  if (zone === undefined) return undefined;
  const length = labels.length - zone.labels.length;
  const question = {
    name,
    labels,
    relative: labels.slice(0, length),
    zone: zone.name,
    zoneText: asked.slice(length).join('.'),
  };
  return { question, zone };
}

/** The same for another name of the same zone; undefined when it is none of it. */
export function sibling(question: Question, name: string): Question | undefined {
  const labels = name.toLowerCase().split('.');
  const zone = question.zone.split('.');
  if (!isIn(labels, zone)) return undefined;
  const relative = labels.slice(0, labels.length - zone.length);
  return { ...question, name, labels, relative };
}

/** Whether `name` is the question's, or below it. */
export const isBelow = (question: Question, name: string): boolean =>
  isIn(name.toLowerCase().split('.'), question.labels);

const NIBBLES = 32;

/** The address in a reverse name; undefined when it is none, or no whole one. */
export function reverseAddress({ zone, relative }: Question): string | undefined {
  if (zone === 'in-addr.arpa') {
    const text = [...relative].reverse().join('.');
    return parseIPv4(text) === undefined || canonicalIP(text) !== text ? undefined : text;
  }
  if (zone !== 'ip6.arpa' || relative.length < NIBBLES) return undefined;
  // As upstream: labels before the address that are less than a group are not looked at.
  if (relative.length >= NIBBLES + 4) return undefined;
  const nibbles = relative.slice(-NIBBLES).reverse();
  if (!nibbles.every(nibble => /^[0-9a-f]$/.test(nibble))) return undefined;
  return canonicalIP((nibbles.join('').match(/.{4}/g) ?? []).join(':'));
}

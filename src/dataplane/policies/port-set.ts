import { isDue, type Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { DeepReadonly } from '../../machinery/types.js';
import { holds, type Range, union } from '../../machinery/ranges.js';
import type { PolicyPort } from './types.js';

/** The names that the destination Pod's containers give a port. */
export type PortNames = (protocol: string, port: number) => readonly string[];

/** Where a packet goes, made once for all the rules it is shown to. */
export interface PortQuestion {
  /** As the API writes it: "TCP". */
  readonly protocol: string;
  readonly port: number;
  /** The same number. */
  readonly value: bigint;
  readonly names: PortNames;
}

/** Whether a rule is about a destination port. */
export type PortSet = (question: PortQuestion) => boolean;

/** What a rule says of one protocol. A name is whatever port the destination calls so. */
interface PortsOfProtocol {
  all: boolean;
  readonly numbers: Range[];
  readonly names: Set<string>;
}

/** A policy may have thousands of rules, each with so many ports: they are asked one by one, and take no memory. */
const FEW = 4;

function isAbout({ protocol = 'TCP', port, endPort }: DeepReadonly<PolicyPort>, asked: PortQuestion): boolean {
  if (protocol !== asked.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'string') return asked.names(protocol, asked.port).includes(port);
  return asked.port >= port && asked.port <= (endPort ?? port);
}

/** An empty list is every port of every protocol, also of those that have none. */
export function* portSet(ports: readonly DeepReadonly<PolicyPort>[], pace: Pace): Steps<PortSet> {
  if (ports.length === 0) return () => true;
  if (ports.length <= FEW) return question => ports.some(port => isAbout(port, question));
  const given = new Map<string, PortsOfProtocol>();
  for (const { protocol = 'TCP', port, endPort } of ports) {
    if (isDue(pace)) yield;
    const known = given.get(protocol) ?? { all: false, numbers: [], names: new Set<string>() };
    given.set(protocol, known);
    if (port === undefined) known.all = true;
    else if (typeof port === 'string') known.names.add(port);
    else known.numbers.push({ first: BigInt(port), last: BigInt(endPort ?? port) });
  }
  const protocols = new Map<string, PortsOfProtocol>();
  for (const [protocol, known] of given)
    protocols.set(protocol, { ...known, numbers: yield* union(known.numbers, pace) });
  return ({ protocol, port, value, names }) => {
    const known = protocols.get(protocol);
    if (known === undefined) return false;
    if (known.all || holds(known.numbers, value)) return true;
    return known.names.size > 0 && names(protocol, port).some(name => known.names.has(name));
  };
}

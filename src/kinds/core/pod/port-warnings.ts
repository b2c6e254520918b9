import { quote } from '../../../machinery/go-text.js';
import type { Container, DeepReadonly } from '../../../machinery/types.js';
import { list } from '../../validation/formats.js';

type Port = NonNullable<DeepReadonly<Container>['ports']>[number];

/** A port and where it is, e.g. "spec.containers[0].ports[1]". */
export interface PlacedPort {
  readonly port: Port;
  readonly at: string;
}

/** As Go's %+v prints the internal struct. */
const shown = ({ name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' }: Port): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;

/** How a port clashes with an earlier one of the same number and protocol; undefined: not at all. */
function clash(now: Port, before: Port): string | undefined {
  const [host, hostBefore] = [now.hostPort ?? 0, before.hostPort ?? 0];
  const [ip, ipBefore] = [now.hostIP ?? '', before.hostIP ?? ''];
  if (host === hostBefore && ip === ipBefore) return 'duplicate';
  if (host === 0 || hostBefore === 0) return 'overlapping';
  return host === hostBefore && (ip === '') !== (ipBefore === '') ? 'dangerously ambiguous' : undefined;
}

/** More clashes than this are not told of: a header of warnings ends long before. */
const MAX_CLASHES = 1000;

/** Finds the ports before one that it may clash with, without asking each. */
function createClashes(): (port: Port, place: number) => number[] {
  const places = new Map<string, number[]>();
  return (port, place) => {
    const { hostPort = 0, hostIP = '' } = port;
    const number = `${port.containerPort}/${port.protocol ?? ''}`;
    const host = `${number}/${hostPort}`;
    const at = (key: string): readonly number[] => list(places.get(key));
    const found =
      hostPort === 0
        ? [...at(number)]
        : [...at(`${number}/0`), ...(hostIP === '' ? at(host) : [...at(`${host}/`), ...at(`${host}/${hostIP}`)])];
    for (const key of [number, host, `${host}/${hostIP}`]) {
      const known = places.get(key);
      if (known === undefined) places.set(key, [place]);
      else known.push(place);
    }
    return found;
  };
}

/** Warnings about the ports of all containers of a Pod. */
export function portWarnings(ports: readonly PlacedPort[]): string[] {
  const out: string[] = [];
  const clashes = createClashes();
  let told = 0;
  for (const [place, { port, at }] of ports.entries()) {
    if (port.hostIP && !port.hostPort) out.push(`${at}: hostIP set without hostPort: ${shown(port)}`);
    if (told === MAX_CLASHES) continue;
    for (const before of clashes(port, place).sort((a, b) => a - b)) {
      const other = ports[before];
      const how = other === undefined ? undefined : clash(port, other.port);
      if (other === undefined || how === undefined) continue;
      out.push(`${at}: ${how} port definition with ${other.at}`);
      if (++told === MAX_CLASHES) break;
    }
  }
  const byName = new Map<string, string>();
  for (const { port, at } of ports) {
    if (!port.name) continue;
    const first = byName.get(port.name);
    if (first === undefined) byName.set(port.name, at);
    else {
      const text = `duplicate port name ${quote(port.name)} with ${first}`;
      out.push(`${at}: ${text}, services and probes that select ports by name will use ${first}`);
    }
  }
  return out;
}

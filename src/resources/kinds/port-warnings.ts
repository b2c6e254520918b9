import { quote } from '../../machinery/go-text.js';
import type { Container, DeepReadonly } from '../../machinery/types.js';
import { list } from '../validation/formats.js';

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

/** Warnings about the ports of all containers of a Pod. */
export function portWarnings(ports: readonly PlacedPort[]): string[] {
  const out: string[] = [];
  const byNumber = new Map<string, PlacedPort[]>();
  for (const placed of ports) {
    const { port, at } = placed;
    if (port.hostIP && !port.hostPort) out.push(`${at}: hostIP set without hostPort: ${shown(port)}`);
    const key = `${port.containerPort}/${port.protocol ?? ''}`;
    const others = list(byNumber.get(key));
    for (const other of others) {
      const how = clash(port, other.port);
      if (how !== undefined) out.push(`${at}: ${how} port definition with ${other.at}`);
    }
    byNumber.set(key, [...others, placed]);
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

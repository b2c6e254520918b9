import type { Container, DeepReadonly } from '../../machinery/types.js';

/** A port given by number or by the name of a containerPort; undefined when there is none of that name. */
export function resolvePort(port: number | string, container: DeepReadonly<Container>): number | undefined {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(p => p.name === port)?.containerPort;
  if (named !== undefined) return named;
  return /^\d+$/.test(port) ? Number(port) : undefined;
}

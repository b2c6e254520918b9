import { duplicate, notSupported, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import { checkPortNumber, checkPortName } from '../../../validation/formats.js';
import type { ReadonlyContainer } from './container-context.js';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export function checkProtocol(out: FieldError[], at: FieldPath, protocol: string | undefined): void {
  if (!protocol) out.push(required(at));
  else if (!PROTOCOLS.includes(protocol)) out.push(notSupported(at, protocol, PROTOCOLS));
}

export function checkPorts(out: FieldError[], at: FieldPath, ports: ReadonlyContainer['ports']): void {
  const names = new Set<string>();
  (ports ?? []).forEach((port, i) => {
    const item = at.index(i);
    if (port.name) {
      const before = out.length;
      checkPortName(out, item.child('name'), port.name);
      if (out.length === before) {
        if (names.has(port.name)) out.push(duplicate(item.child('name'), port.name));
        names.add(port.name);
      }
    }
    if (!port.containerPort) out.push(required(item.child('containerPort')));
    else checkPortNumber(out, item.child('containerPort'), port.containerPort);
    if (port.hostPort) checkPortNumber(out, item.child('hostPort'), port.hostPort);
    checkProtocol(out, item.child('protocol'), port.protocol);
  });
}

/** Two ports of a node cannot be the same. */
export function checkHostPorts(out: FieldError[], at: FieldPath, containers: readonly ReadonlyContainer[]): void {
  const taken = new Set<string>();
  containers.forEach((container, i) => {
    (container.ports ?? []).forEach((port, j) => {
      if (!port.hostPort) return;
      const key = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(key)) out.push(duplicate(at.index(i).child('ports').index(j).child('hostPort'), key));
      taken.add(key);
    });
  });
}

import { forbidden, invalid, tooLong } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import { goLength } from '../../../../machinery/go-text.js';
import type { DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { checkDnsSubdomain } from '../../../validation/formats.js';
import { CONTAINER_LISTS } from './container-context.js';

type Spec = DeepReadonly<PodSpec>;

export function checkHostNetwork(out: FieldError[], at: FieldPath, spec: Spec, isPod: boolean): void {
  if (spec.hostNetwork !== true) return;
  (spec.containers ?? []).forEach((container, i) => {
    (container.ports ?? []).forEach((port, j) => {
      const hostPort = port.hostPort ?? 0;
      if ((isPod || hostPort !== 0) && hostPort !== port.containerPort) {
        const field = at.child('containers').index(i).child('ports').index(j).child('hostPort');
        out.push(invalid(field, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
      }
    });
  });
}

export function checkHostUsers(out: FieldError[], at: FieldPath, spec: Spec): void {
  if (spec.hostUsers !== false) return;
  const text = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) out.push(forbidden(at.child('hostNetwork'), text));
  if (spec.hostPID === true) out.push(forbidden(at.child('HostPID'), text));
  if (spec.hostIPC === true) out.push(forbidden(at.child('HostIPC'), text));
  for (const list of CONTAINER_LISTS)
    (spec[list] ?? []).forEach((container, i) => {
      if ((container.volumeDevices ?? []).length > 0)
        out.push(forbidden(at.child(list).index(i).child('volumeDevices'), text));
    });
}

/** Linux lets no host name be longer. */
const MAX_HOSTNAME = 64;

export function checkHostnameOverride(out: FieldError[], at: FieldPath, spec: Spec): void {
  const name = spec.hostnameOverride;
  if (name === undefined) return;
  const field = at.child('hostnameOverride');
  if (spec.setHostnameAsFQDN === true)
    out.push(forbidden(field, 'may not be specified when setHostnameAsFQDN is true'));
  if (spec.hostNetwork === true) out.push(forbidden(field, 'may not be specified when hostNetwork is true'));
  if (goLength(name) > MAX_HOSTNAME) out.push(tooLong(field, MAX_HOSTNAME));
  checkDnsSubdomain(out, field, name);
}

export function checkWindowsHostProcess(out: FieldError[], at: FieldPath, spec: Spec): void {
  const pod = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let host = 0;
  for (const list of CONTAINER_LISTS) {
    (spec[list] ?? []).forEach((container, i) => {
      all++;
      const own = container.securityContext?.windowsOptions?.hostProcess;
      if (pod !== undefined && own !== undefined && pod !== own) {
        const field = at.child(list).index(i).child('securityContext', 'windowsOptions', 'hostProcess');
        out.push(invalid(field, own, `pod hostProcess value must be identical if both are specified, was ${pod}`));
      }
      if (own ?? pod ?? false) host++;
    });
  }
  if (host === 0) return;
  if (host !== all) {
    const text = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    out.push(invalid(at, '', text));
  }
  if (spec.hostNetwork !== true) {
    const text = 'hostNetwork must be true if pod contains any hostProcess containers';
    out.push(invalid(at.child('hostNetwork'), false, text));
  }
}

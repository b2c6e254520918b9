import { nodeProxy } from './proxy.js';
import {
  duplicate,
  errorList,
  forbidden,
  invalid,
  path,
  type FieldError,
  type FieldPath,
} from '../../machinery/field-error.js';
import type { DeepReadonly, Node, Taint } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import type { Row } from '../../api/columns.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import {
  cidrWarnings,
  checkCidr,
  checkLabelKey,
  isIpv4,
  labelValueErrors,
  sortedEntries,
} from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkResourceQuantity } from './pod/validation/resources.js';
import { checkTaintEffect } from './pod/validation/scheduling.js';
import { ageCell, nameCell, NONE, UNKNOWN } from '../cells.js';
import { createRepeatCheck } from '../../machinery/repeats.js';

type ReadonlyNode = DeepReadonly<Node>;

const SPEC = path('spec');
const STATUS = path('status');
/** Upstream reports taints under metadata. */
const TAINTS = path('metadata', 'taints');

function checkTaints(out: FieldError[], at: FieldPath, taints: readonly DeepReadonly<Taint>[]): void {
  const seen = new Set<string>();
  taints.forEach((taint, i) => {
    const item = at.index(i);
    checkLabelKey(out, item.child('key'), taint.key ?? '');
    const value = taint.value ?? '';
    const errors = labelValueErrors(value);
    if (errors.length > 0) out.push(invalid(item.child('value'), value, errors.join(';')));
    checkTaintEffect(out, item.child('effect'), taint.effect, false);
    const key = `${taint.effect}/${taint.key}`;
    if (seen.has(key)) {
      const error = duplicate(item, goForm('Taint', taint));
      out.push({ ...error, message: `${error.message}: taints must be unique by key and effect pair` });
    }
    seen.add(key);
  });
}

function checkResources(out: FieldError[], node: ReadonlyNode): void {
  for (const list of ['capacity', 'allocatable'] as const)
    for (const [name, value] of sortedEntries(node.status?.[list]))
      checkResourceQuantity(out, STATUS.child(list, name), name, value);
}

function checkPodCidrs(out: FieldError[], cidrs: readonly string[]): void {
  const at = SPEC.child('podCIDRs');
  cidrs.forEach((cidr, i) => checkCidr(out, at.index(i), cidr));
  if (cidrs.length < 2) return;
  if (new Set(cidrs.map(isIpv4)).size < 2 || cidrs.length > 2)
    out.push(invalid(at, cidrs, 'may specify no more than one CIDR for each IP family'));
  const again = createRepeatCheck<string>();
  cidrs.forEach((cidr, i) => {
    if (again(cidr)) out.push(duplicate(at.index(i), cidr));
  });
}

function checkNode(out: FieldError[], node: ReadonlyNode): void {
  checkTaints(out, TAINTS, node.spec?.taints ?? []);
  checkResources(out, node);
  checkPodCidrs(out, node.spec?.podCIDRs ?? []);
}

function checkNodeUpdate(out: FieldError[], node: ReadonlyNode, old: ReadonlyNode): void {
  checkResources(out, node);
  const addresses = new Set<string>();
  (node.status?.addresses ?? []).forEach((address, i) => {
    const key = `${address.type}/${address.address}`;
    if (addresses.has(key)) out.push(duplicate(STATUS.child('addresses').index(i), goForm('NodeAddress', address)));
    addresses.add(key);
  });
  const before = old.spec?.podCIDRs ?? [];
  const now = node.spec?.podCIDRs ?? [];
  const fixed = 'node updates may not change podCIDR except from "" to valid';
  if (before.length > 0) {
    if (before.length !== now.length) out.push(forbidden(SPEC.child('podCIDRs'), fixed));
    else
      before.forEach((cidr, i) => {
        if (cidr !== now[i]) out.push(forbidden(SPEC.child('podCIDRs'), fixed));
      });
  }
  if (old.spec?.providerID && old.spec.providerID !== node.spec?.providerID)
    out.push(forbidden(SPEC.child('providerID'), 'node updates may not change providerID except from "" to valid'));
  checkTaints(out, TAINTS, node.spec?.taints ?? []);
  if ((node.spec?.externalID ?? '') !== (old.spec?.externalID ?? ''))
    out.push(forbidden(SPEC.child('externalID'), 'may not be updated'));
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

function rolesCell(labels: Readonly<Record<string, string>> | undefined): string {
  const roles = new Set<string>();
  for (const [key, value] of sortedEntries(labels)) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === ROLE_LABEL && value !== '') roles.add(value);
  }
  return roles.size === 0 ? NONE : [...roles].sort().join(',');
}

function statusCell(node: ReadonlyNode): string {
  const ready = node.status?.conditions?.find(condition => condition.type === 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

function row(node: ReadonlyNode, nowMs: number): Row {
  const info = node.status?.nodeInfo;
  const address = (type: string): string => node.status?.addresses?.find(item => item.type === type)?.address ?? NONE;
  return {
    cells: [
      nameCell(node),
      statusCell(node),
      rolesCell(node.metadata.labels),
      ageCell(node, nowMs),
      info?.kubeletVersion ?? '',
      address('InternalIP'),
      address('ExternalIP'),
      info?.osImage || UNKNOWN,
      info?.kernelVersion || UNKNOWN,
      info?.containerRuntimeVersion || UNKNOWN,
    ],
  };
}

export const nodeStrategy: Strategy<Node> = {
  default(node) {
    const status = (node.status ??= {});
    if (status.capacity !== undefined) status.allocatable ??= { ...status.capacity };
    const spec = (node.spec ??= {});
    // podCIDR is the first of podCIDRs; a client that knows only the former wins.
    if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
    else if (spec.podCIDRs?.[0] !== undefined) spec.podCIDR = spec.podCIDRs[0];
  },
  // A Node may be born with its status: the kubelet registers itself in one request.
  prepareForCreate() {},
  validate(_ctx, node) {
    const out = errorList();
    checkNode(out, node);
    return out;
  },
  validateUpdate(_ctx, node, old) {
    const out = errorList();
    checkMetadataAgain(out, node, { namespaced: false, name: nameIsDnsSubdomain });
    checkNode(out, node);
    checkNodeUpdate(out, node, old);
    return out;
  },
  warnings(_ctx, node) {
    const out: string[] = [];
    if (node.spec?.externalID) out.push('spec.externalID: this field is deprecated, and is unused by Kubernetes');
    (node.spec?.podCIDRs ?? []).forEach((cidr, i) =>
      cidrWarnings(SPEC.child('podCIDRs').index(i), cidr).forEach(text => out.push(text)),
    );
    return out;
  },
  fields: node => ({ 'spec.unschedulable': String(node.spec?.unschedulable === true) }),
  cells: row,
  subresources: {
    proxy: nodeProxy,
    status: {
      kind: 'part',
      validateUpdate(_ctx, node, old) {
        const out = errorList();
        checkNodeUpdate(out, node, old);
        return out;
      },
    },
  },
};

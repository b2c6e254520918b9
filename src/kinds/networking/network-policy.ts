import { parsePrefix } from '../../machinery/cidr.js';
import { errorList, forbidden, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import type { IpAddress } from '../../machinery/ip.js';
import type { DeepReadonly, KubeObject, LabelSelector } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import * as formats from '../validation/formats.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell, selectorCell } from '../cells.js';

interface Port {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}
interface Peer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}
interface NetworkPolicy extends KubeObject {
  spec?: {
    podSelector?: LabelSelector;
    policyTypes?: string[];
    ingress?: { ports?: Port[]; from?: Peer[] }[];
    egress?: { ports?: Port[]; to?: Peer[] }[];
  };
}
type ReadonlyPolicy = DeepReadonly<NetworkPolicy>;

const { list } = formats;
const SPEC = path('spec');
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const TYPES = ['Ingress', 'Egress'];

function checkPort(out: FieldError[], at: FieldPath, port: DeepReadonly<Port>): void {
  const { protocol, port: value, endPort } = port;
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    out.push(notSupported(at.child('protocol'), protocol, PROTOCOLS));
  const endAt = at.child('endPort');
  if (value === undefined) {
    if (endPort !== undefined) out.push(invalid(endAt, endPort, 'may not be specified when `port` is not specified'));
    return;
  }
  if (typeof value === 'string') {
    if (endPort !== undefined) out.push(invalid(endAt, endPort, 'may not be specified when `port` is non-numeric'));
    return formats.checkPortName(out, at.child('port'), value);
  }
  formats.checkPortNumber(out, at.child('port'), value);
  if (endPort === undefined) return;
  // Upstream shows the port here, not the end of the range.
  if (endPort < value) out.push(invalid(endAt, value, 'must be greater than or equal to `port`'));
  formats.checkPortNumber(out, endAt, endPort);
}

function checkBlock(out: FieldError[], at: FieldPath, block: NonNullable<DeepReadonly<Peer>['ipBlock']>): void {
  if (!block.cidr) return void out.push(required(at.child('cidr')));
  formats.checkCidr(out, at.child('cidr'), block.cidr);
  const outer = parsePrefix(block.cidr);
  list(block.except).forEach((text, i) => {
    const field = at.child('except').index(i);
    formats.checkCidr(out, field, text);
    const inner = parsePrefix(text);
    if (outer === undefined || inner === undefined) return;
    const sameFamily = outer.ip.family === inner.ip.family;
    if (!sameFamily || outer.prefix >= inner.prefix || !contains(outer, inner.ip))
      out.push(invalid(field, text, 'must be a strict subset of `cidr`'));
  });
}

const contains = (outer: { ip: IpAddress; prefix: number }, ip: IpAddress): boolean =>
  formats.networkOf(ip, outer.prefix) === formats.networkOf(outer.ip, outer.prefix);

function checkPeer(out: FieldError[], at: FieldPath, peer: DeepReadonly<Peer>): void {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (podSelector !== undefined) formats.checkSelector(out, at.child('podSelector'), podSelector);
  if (namespaceSelector !== undefined) formats.checkSelector(out, at.child('namespaceSelector'), namespaceSelector);
  if (ipBlock !== undefined) checkBlock(out, at.child('ipBlock'), ipBlock);
  const selectors = podSelector !== undefined || namespaceSelector !== undefined;
  if (!selectors && ipBlock === undefined) out.push(required(at, 'must specify a peer'));
  else if (selectors && ipBlock !== undefined) out.push(forbidden(at, 'may not specify both ipBlock and another peer'));
}

function checkPolicy({ spec }: ReadonlyPolicy): FieldError[] {
  const out = errorList();
  if (spec?.podSelector) formats.checkSelector(out, SPEC.child('podSelector'), spec.podSelector);
  const check = (
    at: FieldPath,
    ports: readonly DeepReadonly<Port>[] | undefined,
    side: string,
    peers: readonly DeepReadonly<Peer>[] | undefined,
  ): void => {
    list(ports).forEach((port, i) => checkPort(out, at.child('ports').index(i), port));
    list(peers).forEach((peer, i) => checkPeer(out, at.child(side).index(i), peer));
  };
  list(spec?.ingress).forEach((rule, i) => check(SPEC.child('ingress').index(i), rule.ports, 'from', rule.from));
  list(spec?.egress).forEach((rule, i) => check(SPEC.child('egress').index(i), rule.ports, 'to', rule.to));
  const types = list(spec?.policyTypes);
  const at = SPEC.child('policyTypes');
  if (types.length > TYPES.length) out.push(invalid(at, types, 'may not specify more than two policyTypes'));
  else
    types.forEach((type, i) => {
      if (!TYPES.includes(type)) out.push(notSupported(at.index(i), type, TYPES));
    });
  return out;
}

function warningsOf({ spec }: ReadonlyPolicy): string[] {
  const out: string[] = [];
  const warn = (at: FieldPath, peers: readonly DeepReadonly<Peer>[] | undefined): void =>
    list(peers).forEach(({ ipBlock }, i) => {
      if (ipBlock === undefined) return;
      const field = at.index(i).child('ipBlock');
      for (const one of formats.cidrWarnings(field.child('cidr'), ipBlock.cidr)) out.push(one);
      list(ipBlock.except).forEach((text, k) =>
        formats.cidrWarnings(field.child('except').index(k), text).forEach(one => out.push(one)),
      );
    });
  list(spec?.ingress).forEach((rule, i) => warn(SPEC.child('ingress').index(i).child('from'), rule.from));
  list(spec?.egress).forEach((rule, i) => warn(SPEC.child('egress').index(i).child('to'), rule.to));
  return out;
}

export const networkPolicyStrategy: Strategy<NetworkPolicy> = {
  default({ spec }) {
    if (spec === undefined) return;
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    if ((spec.policyTypes ?? []).length > 0) return;
    spec.policyTypes = (spec.egress ?? []).length > 0 ? [...TYPES] : ['Ingress'];
  },
  validate: (_ctx, policy) => checkPolicy(policy),
  validateUpdate(_ctx, policy) {
    const out = errorList();
    checkMetadataAgain(out, policy, { namespaced: true, name: nameIsDnsSubdomain });
    // Upstream runs the rules of creation and those of updates, which are the same.
    for (let round = 0; round < 2; round++) for (const one of checkPolicy(policy)) out.push(one);
    return out;
  },
  warnings: (_ctx, policy) => warningsOf(policy),
  cells: (policy, nowMs) => ({
    cells: [nameCell(policy), selectorCell(policy.spec?.podSelector), ageCell(policy, nowMs)],
  }),
};

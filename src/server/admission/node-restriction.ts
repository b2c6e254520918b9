import { semanticEqual } from '../../machinery/json-equal.js';
import { notFoundError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, ObjectKey, Pod } from '../../machinery/types.js';
import { parseCertificateRequest } from '../../machinery/x509/certificate-request.js';
import { resourceId } from '../../api/resource-info.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from './types.js';
import { jsonDiff } from '../../kinds/validation/spec-diff.js';
import type { Authorizer } from '../auth/authorizer.js';
import { NODE_LEASES, nodeOf } from '../auth/node-authorizer.js';
import { quote } from '../auth/quote.js';
import { forbid } from './forbidden.js';
import { createNodeTokenCheck } from './node-token.js';
import { apiReference } from './pod-references.js';

type Operation = AdmissionRequest['operation'];
type Check = (ctx: RequestContext, request: AdmissionRequest, node: string) => void;

const MIRROR = 'kubernetes.io/config.mirror';

/** The informers that upstream asks name a kind in the singular. */
const missing = (resource: string, name: string): Error => notFoundError({ group: '', resource }, name);

function findPod(ctx: RequestContext, key: ObjectKey): DeepReadonly<Pod> {
  const pod = ctx.objects.get('pods', key) as DeepReadonly<Pod> | undefined;
  if (pod === undefined) throw missing('pod', key.name);
  return pod;
}

function checkMirrorOwner(ctx: RequestContext, request: AdmissionRequest, node: string): void {
  const owners = request.object?.metadata.ownerReferences ?? [];
  const [owner] = owners;
  const refuse = (what: string): Error => forbid(request, `node ${quote(node)} ${what}`);
  if (owners.length > 1) throw refuse('can only create pods with a single owner reference set to itself');
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    throw refuse('can only create pods with an owner reference set to itself');
  if (owner.controller !== true) throw refuse('can only create pods with a controller owner reference set to itself');
  if (owner.blockOwnerDeletion === true) throw refuse('must not set blockOwnerDeletion on an owner reference');
  const object = ctx.objects.get('nodes', { namespace: '', name: node });
  if (object === undefined) throw missing('node', node);
  const { uid = '' } = object.metadata;
  if (owner.uid !== uid) throw forbid(request, `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`);
}

/** A node shows the Pods of its own files, and nothing else. */
function checkMirrorPod(ctx: RequestContext, request: AdmissionRequest, node: string): void {
  const pod = request.object as Pod;
  if (pod.metadata.annotations?.[MIRROR] === undefined)
    throw forbid(
      request,
      `pod does not have ${quote(MIRROR)} annotation, node ${quote(node)} can only create mirror pods`,
    );
  if (pod.spec?.nodeName !== node)
    throw forbid(request, `node ${quote(node)} can only create pods with spec.nodeName set to itself`);
  checkMirrorOwner(ctx, request, node);
  const reference = apiReference(pod);
  if (reference !== undefined)
    throw forbid(request, `node ${quote(node)} can not create pods that reference ${reference}`);
}

function checkPod(ctx: RequestContext, request: AdmissionRequest, node: string): void {
  if (request.operation === 'CREATE') return checkMirrorPod(ctx, request, node);
  if (request.operation !== 'DELETE') {
    const text = `unexpected operation ${quote(request.operation)}, node ${quote(node)} can only create and delete mirror pods`;
    throw forbid(request, text);
  }
  if (findPod(ctx, request.key).spec?.nodeName !== node)
    throw forbid(request, `node ${quote(node)} can only delete pods with spec.nodeName set to itself`);
}

interface PodStatusParts {
  readonly resourceClaimStatuses?: unknown;
  readonly extendedResourceClaimStatus?: unknown;
}

function checkPodStatus(_ctx: RequestContext, request: AdmissionRequest, node: string): void {
  const old = request.old as DeepReadonly<Pod>;
  const now = request.object as Pod;
  const refuse = (what: string): Error => forbid(request, `node ${quote(node)} ${what}`);
  if (old.spec?.nodeName !== node) throw refuse('can only update pod status for pods with spec.nodeName set to itself');
  if (!semanticEqual(old.metadata.labels, now.metadata.labels)) throw refuse('cannot update labels through pod status');
  const [before, after] = [old.status, now.status].map(status => (status ?? {}) as PodStatusParts);
  if (!semanticEqual(before?.resourceClaimStatuses, after?.resourceClaimStatuses))
    throw refuse('cannot update resource claim statues');
  if (!semanticEqual(before?.extendedResourceClaimStatus, after?.extendedResourceClaimStatus))
    throw refuse('cannot update extended resource claim status');
}

function checkEviction(ctx: RequestContext, request: AdmissionRequest, node: string): void {
  if (findPod(ctx, request.key).spec?.nodeName !== node)
    throw forbid(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
}

const POD_PARTS: Readonly<Record<string, Check>> = { '': checkPod, status: checkPodStatus, eviction: checkEviction };

const pods: Check = (ctx, request, node) => {
  const check = POD_PARTS[request.subresource];
  if (check === undefined)
    throw forbid(
      request,
      `unexpected pod subresource ${quote(request.subresource)}, only 'status' and 'eviction' are allowed`,
    );
  check(ctx, request, node);
};

interface NodeSpec {
  readonly configSource?: unknown;
  readonly taints?: unknown;
}
const specOf = (object: DeepReadonly<KubeObject> | undefined): NodeSpec =>
  (object?.['spec'] as NodeSpec | undefined) ?? {};

/** Kubernetes' own labels that a kubelet may set on its Node (k8s.io/kubelet pkg/apis). */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const KUBELET_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const RESTRICTED = 'node-restriction.kubernetes.io';

const within = (domain: string, of: string): boolean => domain === of || domain.endsWith(`.${of}`);

function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  if (within(domain, RESTRICTED)) return true;
  if (!within(domain, 'kubernetes.io') && !within(domain, 'k8s.io')) return false;
  return !KUBELET_LABELS.has(key) && !KUBELET_DOMAINS.some(of => within(domain, of));
}

type LabelMap = Readonly<Record<string, string>> | undefined;
const changedForbiddenLabels = (now: LabelMap, old: LabelMap): string[] =>
  [...new Set([...Object.keys(now ?? {}), ...Object.keys(old ?? {})])]
    .filter(key => now?.[key] !== old?.[key] && isForbiddenLabel(key))
    .sort();

function nodes(_ctx: RequestContext, request: AdmissionRequest, node: string): void {
  const { operation, object, old } = request;
  // A creation has no name in its URL, the new object has one.
  const name = request.key.name || (object?.metadata.name ?? '');
  if (name !== node) throw forbid(request, `node ${quote(node)} is not allowed to modify node ${quote(name)}`);
  const [now, before] = [specOf(object), specOf(old)];
  const labels = changedForbiddenLabels(object?.metadata.labels, old?.metadata.labels).join(', ');
  const refuse = (what: string): Error => forbid(request, `node ${quote(node)} is not allowed to ${what}`);
  if (operation === 'CREATE') {
    if (now.configSource !== undefined) throw refuse('create pods with a non-nil configSource');
    if (labels !== '') throw refuse(`set the following labels: ${labels}`);
  }
  if (operation !== 'UPDATE') return;
  if (now.configSource !== undefined && !semanticEqual(now.configSource, before.configSource))
    throw refuse('update configSource to a new non-nil configSource');
  if (!semanticEqual(now.taints, before.taints)) throw refuse('modify taints');
  if (!semanticEqual(object?.metadata.ownerReferences, old?.metadata.ownerReferences))
    throw refuse('modify ownerReferences');
  if (labels !== '') throw forbid(request, `is not allowed to modify labels: ${labels}`);
}

/** A claim without what a node says about the volume it mounts. */
function withoutVolumeState(claim: DeepReadonly<KubeObject> | undefined): unknown {
  const { metadata, status, ...rest } = (claim ?? { metadata: {} }) as KubeObject & {
    status?: Record<string, unknown>;
  };
  const { resourceVersion: _version, managedFields: _fields, ...kept } = metadata;
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResourceStatuses: _statuses,
    allocatedResources: _allocated,
    ...left
  } = status ?? {};
  return { ...rest, metadata: kept, status: left };
}

function claims(_ctx: RequestContext, request: AdmissionRequest, node: string): void {
  if (request.subresource !== 'status') throw forbid(request, 'may only update PVC status');
  const [old, now] = [withoutVolumeState(request.old), withoutVolumeState(request.object)];
  if (semanticEqual(old, now)) return;
  const what = 'is not allowed to update fields other than status.quantity and status.conditions';
  throw forbid(request, `node ${quote(node)} ${what}: ${jsonDiff(old, now)}`);
}

const ownName =
  (text: string): Check =>
  (_ctx, request, node) => {
    if ((request.object?.metadata.name ?? request.key.name) !== node) throw forbid(request, text);
  };

const ownLease = ownName('can only access node lease with the same name as the requesting node');

function leases(ctx: RequestContext, request: AdmissionRequest, node: string): void {
  if (request.key.namespace !== NODE_LEASES)
    throw forbid(request, `can only access leases in the ${quote(NODE_LEASES)} system namespace`);
  ownLease(ctx, request, node);
}

const SLICE_VERBS: Partial<Record<Operation, string>> = { CREATE: 'create', DELETE: 'delete' };

function slices(_ctx: RequestContext, request: AdmissionRequest, node: string): void {
  const verb = SLICE_VERBS[request.operation];
  const slice = request.operation === 'DELETE' ? request.old : request.object;
  if (verb === undefined || (slice?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node) return;
  throw forbid(request, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`);
}

const NODE_SIGNERS = new Set(['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet']);

function signingRequests(_ctx: RequestContext, request: AdmissionRequest, node: string): void {
  const spec = request.object?.['spec'] as { signerName?: string; request?: string } | undefined;
  if (request.operation !== 'CREATE' || !NODE_SIGNERS.has(spec?.signerName ?? '')) return;
  let name: string;
  try {
    name = parseCertificateRequest(Buffer.from(spec?.request ?? '', 'base64').toString('latin1')).commonName;
  } catch (error) {
    throw forbid(request, `unable to parse csr: ${(error as Error).message}`);
  }
  if (name !== `system:node:${node}`) throw forbid(request, `can only create a node CSR with CN=system:node:${node}`);
}

/**
 * What a node's own user may write: its Node, its Lease and CSINode, the mirror Pods it runs and their statuses, and
 * tokens for its Pods (kubernetes plugin/pkg/admission/noderestriction). Users of other kinds are left alone.
 */
export function createNodeRestriction(authorizer: Authorizer): AdmissionPlugin {
  const checks: Readonly<Record<string, Check>> = {
    pods,
    nodes,
    persistentvolumeclaims: claims,
    serviceaccounts: createNodeTokenCheck(authorizer, findPod),
    'podcertificaterequests.certificates.k8s.io': (_ctx, request) => {
      throw forbid(request, 'PodCertificateRequest feature gate is disabled');
    },
    'leases.coordination.k8s.io': leases,
    'csinodes.storage.k8s.io': ownName('can only access CSINode with the same name as the requesting node'),
    'resourceslices.resource.k8s.io': slices,
    'certificatesigningrequests.certificates.k8s.io': signingRequests,
  };
  return {
    name: 'NodeRestriction',
    admit(ctx, request) {
      if (request.operation === 'CONNECT') return;
      const node = nodeOf(ctx.user);
      if (node === undefined) return;
      if (node === '') throw forbid(request, `could not determine node from user ${quote(ctx.user.name)}`);
      checks[resourceId(request.resource)]?.(ctx, request, node);
    },
  };
}

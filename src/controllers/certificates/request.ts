import { parseCertificateRequest, type CertificateRequest } from '../../machinery/x509/certificate-request.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastUpdateTime?: string;
}

/** certificates.k8s.io/v1 CertificateSigningRequest. */
export interface SigningRequest extends KubeObject {
  spec: {
    signerName: string;
    request: string;
    usages?: string[];
    expirationSeconds?: number;
    username?: string;
    uid?: string;
    groups?: string[];
    extra?: Record<string, string[]>;
  };
  status?: { certificate?: string; conditions?: Condition[] };
}
export type ReadonlyRequest = DeepReadonly<SigningRequest>;

export const conditionsOf = ({ status }: ReadonlyRequest): readonly DeepReadonly<Condition>[] =>
  status?.conditions ?? [];
export const hasCondition = (request: ReadonlyRequest, type: string): boolean =>
  conditionsOf(request).some(condition => condition.type === type);
export const isIssued = ({ status }: ReadonlyRequest): boolean => !!status?.certificate;

/** @throws Error with the message of Go's x509 or asn1 package */
export const parsedRequest = ({ spec }: ReadonlyRequest): CertificateRequest =>
  parseCertificateRequest(Buffer.from(spec.request, 'base64').toString('latin1'));

export const CLIENT = 'kubernetes.io/kube-apiserver-client';
export const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
export const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';
export const LEGACY = 'kubernetes.io/legacy-unknown';

type Check = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  [...new Set(a)].sort().join() === [...new Set(b)].sort().join();

/** Keys that are not RSA encipher no keys. */
function usagesProblem(usages: readonly string[], purpose: string): string | undefined {
  const wanted = ['digital signature', 'key encipherment', purpose].sort();
  const withoutRsa = wanted.filter(usage => usage !== 'key encipherment');
  if (sameSet(usages, wanted) || sameSet(usages, withoutRsa)) return undefined;
  return `usages did not match [${wanted.join(' ')}]`;
}

const isNodes = (request: CertificateRequest): boolean =>
  request.organizations.length === 1 && request.organizations[0] === 'system:nodes';
const NOT_NODES = 'subject organization is not system:nodes';
const nameProblem = ({ commonName }: CertificateRequest): string | undefined =>
  commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:';

const kubeletServing: Check = (request, usages) => {
  if (!isNodes(request)) return NOT_NODES;
  if (request.dnsNames.length === 0 && request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return usagesProblem(usages, 'server auth') ?? nameProblem(request);
};

const kubeletClient: Check = (request, usages) => {
  if (!isNodes(request)) return NOT_NODES;
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (request.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return nameProblem(request) ?? usagesProblem(usages, 'client auth');
};

const CLIENT_USAGES = new Set(['digital signature', 'key encipherment', 'client auth']);

const client: Check = (_request, usages) => {
  const bad = usages.find(usage => !CLIENT_USAGES.has(usage));
  if (bad !== undefined) return `invalid usage for client certificate: ${bad}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
};

/** The signers of Kubernetes itself, and why each would refuse a request (kubernetes pkg/apis/certificates). */
export const SIGNERS: Readonly<Record<string, Check>> = {
  [CLIENT]: client,
  [KUBELET_CLIENT]: kubeletClient,
  [KUBELET_SERVING]: kubeletServing,
  [LEGACY]: () => undefined,
};

/** Whether a kubelet asks for the certificate that it shows to the API server. */
export const isKubeletClient = (request: ReadonlyRequest, parsed: CertificateRequest): boolean =>
  request.spec.signerName === KUBELET_CLIENT && kubeletClient(parsed, request.spec.usages ?? []) === undefined;

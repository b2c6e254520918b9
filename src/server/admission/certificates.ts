import { semanticEqual } from '../../machinery/json-equal.js';
import { parseCertificateRequest } from '../../machinery/x509/certificate-request.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from './types.js';
import type { Authorizer } from '../auth/authorizer.js';
import { quote } from '../auth/quote.js';
import { forbid, isResource } from './forbidden.js';

const GROUP = 'certificates.k8s.io';
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const MASTERS = 'system:masters';

interface SigningRequest extends KubeObject {
  spec: { signerName: string; request: string };
  status?: { certificate?: string; conditions?: unknown[] };
}

const isRequest = (request: AdmissionRequest, operation: string, subresource: string): boolean =>
  request.operation === operation &&
  request.subresource === subresource &&
  isResource(request, GROUP, 'certificatesigningrequests');

const signerOf = (object: DeepReadonly<KubeObject> | undefined): string =>
  (object as DeepReadonly<SigningRequest> | undefined)?.spec.signerName ?? '';

/** Whether the user may do something for a signer, by its name or by its domain ("kubernetes.io/*"). */
function mayForSigner(authorizer: Authorizer, ctx: RequestContext, verb: string, signer: string): boolean {
  const domain = signer.split('/')[0] ?? '';
  return [signer, `${domain}/*`].some(
    name =>
      authorizer.authorize({
        user: ctx.user,
        verb,
        isResource: true,
        group: GROUP,
        version: '*',
        resource: 'signers',
        subresource: '',
        namespace: '',
        name,
        path: '',
      }).decision === 'allow',
  );
}

/** Who decides about requests must be allowed to for their signer. */
export const createCertificateApproval = (authorizer: Authorizer): AdmissionPlugin => ({
  name: 'CertificateApproval',
  validate(ctx, request) {
    if (!isRequest(request, 'UPDATE', 'approval')) return;
    const signer = signerOf(request.old);
    if (!mayForSigner(authorizer, ctx, 'approve', signer))
      throw forbid(request, `user not permitted to approve requests with signerName ${quote(signer)}`);
  },
});

/** Who writes certificates must be allowed to sign for the signer. */
export const createCertificateSigning = (authorizer: Authorizer): AdmissionPlugin => ({
  name: 'CertificateSigning',
  validate(ctx, request) {
    if (!isRequest(request, 'UPDATE', 'status')) return;
    const now = (request.object as SigningRequest | undefined)?.status;
    const before = (request.old as DeepReadonly<SigningRequest> | undefined)?.status;
    if (now?.certificate === before?.certificate && semanticEqual(now?.conditions, before?.conditions)) return;
    const signer = signerOf(request.old);
    if (!mayForSigner(authorizer, ctx, 'sign', signer))
      throw forbid(request, `user not permitted to sign requests with signerName ${quote(signer)}`);
  },
});

/** Nobody becomes a cluster administrator by a client certificate. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(_ctx, request) {
    if (!isRequest(request, 'CREATE', '') || signerOf(request.object) !== CLIENT_SIGNER) return;
    const { spec } = request.object as SigningRequest;
    let organizations: readonly string[];
    try {
      ({ organizations } = parseCertificateRequest(Buffer.from(spec.request, 'base64').toString('latin1')));
    } catch (error) {
      throw forbid(request, `failed to parse CSR: ${(error as Error).message}`);
    }
    if (organizations.includes(MASTERS))
      throw forbid(request, `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`);
  },
};

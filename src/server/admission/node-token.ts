import type { DeepReadonly, KubeObject, ObjectKey, Pod } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionRequest } from './types.js';
import type { Authorizer } from '../auth/authorizer.js';
import { aggregate, quote } from '../auth/quote.js';
import { forbid } from './forbidden.js';

interface TokenSpec {
  readonly audiences?: readonly string[] | null;
  readonly boundObjectRef?: {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly uid?: string;
  };
}
interface Volume {
  readonly name: string;
  readonly projected?: {
    readonly sources?: readonly { readonly serviceAccountToken?: { readonly audience?: string } }[];
  };
  readonly ephemeral?: { readonly volumeClaimTemplate?: object };
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly csi?: { readonly driver: string };
}

/** Something on the way from a volume to its driver is not there. */
class MissingLink extends Error {
  override readonly name = 'MissingLink';
}

/** The informers that upstream asks name a kind in the singular, with its group. */
function follow(ctx: RequestContext, resource: string, singular: string, key: ObjectKey): DeepReadonly<KubeObject> {
  const object = ctx.objects.get(resource, key);
  if (object === undefined) throw new MissingLink(`${singular} ${quote(key.name)} not found`);
  return object;
}

function driverOfClaim(ctx: RequestContext, namespace: string, name: string): string | undefined {
  const claim = follow(ctx, 'persistentvolumeclaims', 'persistentvolumeclaim', { namespace, name });
  const { volumeName = '' } = (claim['spec'] ?? {}) as { volumeName?: string };
  const volume = follow(ctx, 'persistentvolumes', 'persistentvolume', { namespace: '', name: volumeName });
  return (volume['spec'] as { csi?: { driver: string } } | undefined)?.csi?.driver;
}

function driverOf(ctx: RequestContext, pod: DeepReadonly<Pod>, volume: Volume): string | undefined {
  const { name = '', namespace = '' } = pod.metadata;
  if (volume.ephemeral?.volumeClaimTemplate !== undefined)
    return driverOfClaim(ctx, namespace, `${name}-${volume.name}`);
  if (volume.persistentVolumeClaim !== undefined)
    return driverOfClaim(ctx, namespace, volume.persistentVolumeClaim.claimName);
  return volume.csi?.driver;
}

function driverWants(ctx: RequestContext, driver: string, audience: string): boolean {
  const key = { namespace: '', name: driver };
  const { tokenRequests = [] } = (follow(ctx, 'csidrivers.storage.k8s.io', 'csidriver.storage.k8s.io', key)['spec'] ??
    {}) as { tokenRequests?: readonly { audience: string }[] };
  return tokenRequests.some(wanted => wanted.audience === audience);
}

/** Whether a volume of the Pod needs a token for the audience; otherwise what could not be found out. */
function wants(ctx: RequestContext, pod: DeepReadonly<Pod>, audience: string): true | readonly string[] {
  const problems: string[] = [];
  for (const volume of (pod.spec?.volumes ?? []) as readonly Volume[]) {
    const sources = volume.projected?.sources ?? [];
    if (sources.some(({ serviceAccountToken: token }) => token !== undefined && (token.audience ?? '') === audience))
      return true;
    try {
      const driver = driverOf(ctx, pod, volume);
      if (driver !== undefined && driverWants(ctx, driver, audience)) return true;
    } catch (error) {
      if (!(error instanceof MissingLink)) throw error;
      problems.push(error.message);
    }
  }
  return problems;
}

/** A node gets tokens for the Pods that run on it, and for the audiences that their volumes name. */
export function createNodeTokenCheck(
  authorizer: Authorizer,
  findPod: (ctx: RequestContext, key: ObjectKey) => DeepReadonly<Pod>,
): (ctx: RequestContext, request: AdmissionRequest, node: string) => void {
  /** Why not; undefined: yes. */
  const checkAudience = (
    ctx: RequestContext,
    { key }: AdmissionRequest,
    spec: TokenSpec,
    pod: DeepReadonly<Pod>,
  ): string | undefined => {
    const audiences = spec.audiences ?? [];
    if (audiences.length > 1) return 'node may only request 0 or 1 audiences';
    const audience = audiences[0] ?? '';
    const found = wants(ctx, pod, audience);
    if (found === true) return undefined;
    if (found.length > 0) return `error validating audience ${quote(audience)}: ${aggregate(found)}`;
    const { decision } = authorizer.authorize({
      user: ctx.user,
      verb: 'request-serviceaccounts-token-audience',
      isResource: true,
      group: '',
      version: 'v1',
      resource: audience,
      subresource: '',
      namespace: key.namespace,
      name: key.name,
      path: '',
    });
    if (decision === 'allow') return undefined;
    return `audience ${quote(audience)} not found in pod spec volume, ${ctx.user.name} is not authorized to request tokens for this audience`;
  };

  return (ctx, request, node) => {
    if (request.operation !== 'CREATE' || request.subresource !== 'token') return;
    const spec = (request.object?.['spec'] ?? {}) as TokenSpec;
    const ref = spec.boundObjectRef;
    if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name)
      throw forbid(request, 'node requested token not bound to a pod');
    if (!ref.uid) throw forbid(request, 'node requested token with a pod binding without a uid');
    const pod = findPod(ctx, { namespace: request.key.namespace, name: ref.name });
    if (ref.uid !== pod.metadata.uid) {
      const text = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw forbid(request, text);
    }
    if (pod.spec?.nodeName !== node)
      throw forbid(request, 'node requested token bound to a pod scheduled on a different node');
    const problem = checkAudience(ctx, request, spec, pod);
    if (problem !== undefined) throw forbid(request, problem);
  };
}

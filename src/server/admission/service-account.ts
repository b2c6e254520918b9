import { requestNameProblem } from '../../machinery/validation/request-name.js';
import { internalError } from '../../machinery/status.js';
import type { DeepReadonly, Pod, PodSpec, ServiceAccount } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from './types.js';
import { secretsOf } from '../auth/node-references.js';
import { forbid, isPodCreate, isResource } from './forbidden.js';
import { ephemeralSecretProblem, secretProblem } from './mountable-secrets.js';

const DEFAULT_NAME = 'default';
const VOLUME_PREFIX = 'kube-api-access-';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const MIRROR = 'kubernetes.io/config.mirror';
/** An hour and a little: kubelets know by the odd number that nobody asked for it. */
const TOKEN_SECONDS = 3607;
const DEFAULT_MODE = 0o644;

/** What names are made of: no vowels, nothing that looks like something else. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;

/** The controller needs a moment to make the default account of a new namespace. */
const ATTEMPTS = 10;
const RETRY_MS = 100;

type Account = DeepReadonly<ServiceAccount>;

async function findAccount(
  ctx: RequestContext,
  namespace: string,
  name: string,
  random: (n: number) => number,
): Promise<Account | undefined> {
  const attempts = name === DEFAULT_NAME ? ATTEMPTS : 1;
  for (let attempt = 1; ; attempt++) {
    const found = ctx.objects.get('serviceaccounts', { namespace, name });
    if (found !== undefined) return found;
    if (attempt === attempts) return undefined;
    await ctx.clock.sleep(RETRY_MS + random(RETRY_MS), ctx.signal, { work: true });
  }
}

const tokenVolume = (name: string): NonNullable<PodSpec['volumes']>[number] => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: DEFAULT_MODE,
  },
});

function mountToken(spec: PodSpec, random: (n: number) => number): void {
  const existing = spec.volumes?.find(volume => volume.name.startsWith(VOLUME_PREFIX))?.name;
  const suffix = (): string =>
    Array.from({ length: SUFFIX_LENGTH }, () => ALPHABET[random(ALPHABET.length)] ?? '').join('');
  const name = existing ?? VOLUME_PREFIX + suffix();
  let needed = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const mounts = (container.volumeMounts ??= []);
    if (mounts.some(mount => mount.mountPath === MOUNT_PATH)) continue;
    mounts.push({ name, readOnly: true, mountPath: MOUNT_PATH });
    needed = true;
  }
  if (existing === undefined && needed) (spec.volumes ??= []).push(tokenVolume(name));
}

/** A mirror Pod shows what a kubelet already runs: it can have no account of its own. */
function checkMirror(pod: Pod): string | undefined {
  if (pod.spec?.serviceAccountName) return 'a mirror pod may not reference service accounts';
  if (secretsOf(pod).length > 0) return 'a mirror pod may not reference secrets';
  for (const volume of pod.spec?.volumes ?? []) {
    for (const source of volume.projected?.sources ?? [])
      if (source.serviceAccountToken !== undefined)
        return 'a mirror pod may not use ServiceAccountToken volume projections';
  }
  return undefined;
}

/** The account a Pod runs as. @throws StatusError 403 */
async function accountOf(
  ctx: RequestContext,
  request: AdmissionRequest,
  name: string,
  random: (n: number) => number,
): Promise<Account> {
  const { namespace } = request.key;
  const account = await findAccount(ctx, namespace, name, random);
  if (account !== undefined) return account;
  const missing = requestNameProblem(name) ?? `serviceaccount ${JSON.stringify(name)} not found`;
  throw forbid(request, `error looking up service account ${namespace}/${name}: ${missing}`);
}

function prepare(spec: PodSpec, account: Account, random: (n: number) => number): void {
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random);
  if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0)
    spec.imagePullSecrets = (account.imagePullSecrets ?? []).map(secret => ({ ...secret }));
}

const addsContainers = (request: AdmissionRequest): boolean =>
  request.operation === 'UPDATE' && request.subresource === 'ephemeralcontainers' && isResource(request, '', 'pods');

/** Gives Pods their account's token and pull secrets, and holds them to the Secrets it lists. */
export const createServiceAccountPlugin = (random: (n: number) => number): AdmissionPlugin => ({
  name: 'ServiceAccount',
  async admit(ctx, request) {
    if (!isPodCreate(request)) return;
    const pod = request.object as Pod;
    if (pod.metadata.annotations?.[MIRROR] !== undefined) {
      const problem = checkMirror(pod);
      if (problem !== undefined) throw forbid(request, problem);
      return;
    }
    const spec = (pod.spec ??= {} as PodSpec);
    spec.serviceAccountName ||= DEFAULT_NAME;
    spec.serviceAccount = spec.serviceAccountName;
    const account = await accountOf(ctx, request, spec.serviceAccountName, random);
    prepare(spec, account, random);
    const problem = secretProblem(pod, account);
    if (problem !== undefined) throw forbid(request, problem);
  },
  async validate(ctx, request) {
    if (!addsContainers(request)) return;
    const pod = request.object as Pod;
    const { name = '', namespace = '' } = pod.metadata;
    const { serviceAccountName = '' } = pod.spec ?? {};
    if (serviceAccountName === '') throw forbid(request, `no service account specified for pod ${namespace}/${name}`);
    const account = await accountOf(ctx, request, serviceAccountName, random);
    const problem = ephemeralSecretProblem(pod, account);
    // Upstream returns this one bare.
    if (problem !== undefined) throw internalError(problem);
  },
});

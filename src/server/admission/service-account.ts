import type { DeepReadonly, Pod, PodSpec, ServiceAccount } from '../../machinery/types.js';
import type { AdmissionPlugin, RequestContext } from '../../resources/strategy.js';
import { forbid, isPodCreate } from './forbidden.js';

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
    await ctx.clock.sleep(RETRY_MS + random(RETRY_MS), ctx.signal);
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
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.secret !== undefined) return 'a mirror pod may not reference secrets';
    for (const source of volume.projected?.sources ?? [])
      if (source.serviceAccountToken !== undefined)
        return 'a mirror pod may not use ServiceAccountToken volume projections';
  }
  return undefined;
}

export const createServiceAccountPlugin = (random: (n: number) => number): AdmissionPlugin => ({
  name: 'ServiceAccount',
  async admit(ctx, request) {
    if (!isPodCreate(request)) return;
    const pod = request.object as Pod;
    const { namespace } = request.key;
    if (pod.metadata.annotations?.[MIRROR] !== undefined) {
      const problem = checkMirror(pod);
      if (problem !== undefined) throw forbid(request, problem);
      return;
    }
    const spec = (pod.spec ??= {} as PodSpec);
    spec.serviceAccountName ||= DEFAULT_NAME;
    spec.serviceAccount = spec.serviceAccountName;
    const account = await findAccount(ctx, namespace, spec.serviceAccountName, random);
    if (account === undefined) {
      const missing = `serviceaccount ${JSON.stringify(spec.serviceAccountName)} not found`;
      throw forbid(request, `error looking up service account ${namespace}/${spec.serviceAccountName}: ${missing}`);
    }
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random);
    if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0)
      spec.imagePullSecrets = (account.imagePullSecrets ?? []).map(secret => ({ ...secret }));
  },
});

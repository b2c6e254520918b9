import type { Container, DeepReadonly, Pod, ServiceAccount } from '../../machinery/types.js';

const ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';
/** What Go's strconv.ParseBool takes for true. */
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

type Account = DeepReadonly<ServiceAccount>;
type Names = ReadonlySet<string>;

const names = (refs: readonly { readonly name?: string }[] | null | undefined): Names =>
  new Set((refs ?? []).map(ref => ref.name ?? ''));

function containerProblem(
  container: DeepReadonly<Container>,
  what: string,
  allowed: Names,
  refusal: string,
): string | undefined {
  const secret = (name: string): string => `referencing secret.secretName="${name}" is not allowed because ${refusal}`;
  for (const { name, valueFrom } of container.env ?? []) {
    const used = valueFrom?.secretKeyRef?.name;
    if (used !== undefined && !allowed.has(used))
      return `${what} ${container.name} with envVar ${name} ${secret(used)}`;
  }
  for (const { secretRef } of container.envFrom ?? []) {
    const used = secretRef === undefined ? undefined : (secretRef.name ?? '');
    if (used !== undefined && !allowed.has(used)) return `${what} ${container.name} with envFrom ${secret(used)}`;
  }
  return undefined;
}

function firstProblem(
  containers: readonly DeepReadonly<Container>[] | undefined,
  what: string,
  allowed: Names,
  refusal: string,
): string | undefined {
  for (const container of containers ?? []) {
    const problem = containerProblem(container, what, allowed, refusal);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const isLimited = ({ metadata }: Account): boolean => TRUE.has(metadata.annotations?.[ANNOTATION] ?? '');
const refusalOf = ({ metadata }: Account): string =>
  `service account ${metadata.name ?? ''} does not reference that secret`;

/** Why the Pod may not use a Secret, when its account lists those that its Pods may; undefined: all is well. */
export function secretProblem(pod: DeepReadonly<Pod>, account: Account): string | undefined {
  if (!isLimited(account)) return undefined;
  const { volumes, initContainers, containers, imagePullSecrets } = pod.spec ?? { containers: [] };
  const allowed = names(account.secrets);
  const refusal = refusalOf(account);
  for (const { secret } of volumes ?? []) {
    const used = secret?.secretName ?? '';
    if (secret !== undefined && !allowed.has(used))
      return `volume with secret.secretName="${used}" is not allowed because ${refusal}`;
  }
  const problem =
    firstProblem(initContainers, 'init container', allowed, refusal) ??
    firstProblem(containers, 'container', allowed, refusal);
  if (problem !== undefined) return problem;
  const pullable = names(account.imagePullSecrets);
  const at = (imagePullSecrets ?? []).findIndex(({ name = '' }) => !pullable.has(name));
  if (at < 0) return undefined;
  const name = imagePullSecrets?.[at]?.name ?? '';
  return `imagePullSecrets[${at}].name="${name}" is not allowed because service account ${account.metadata.name ?? ''} does not reference that imagePullSecret`;
}

/** The same for the containers that are added to a running Pod. */
export function ephemeralSecretProblem(pod: DeepReadonly<Pod>, account: Account): string | undefined {
  if (!isLimited(account)) return undefined;
  const containers = (pod.spec?.ephemeralContainers ?? []) as unknown as readonly DeepReadonly<Container>[];
  return firstProblem(containers, 'ephemeral container', names(account.secrets), refusalOf(account));
}

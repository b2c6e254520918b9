import {
  ApiException,
  AuthenticationV1Api,
  CoreV1Api,
  PatchStrategy,
  PolicyV1Api,
  setHeaderOptions,
  type KubeConfig,
} from '@kubernetes/client-node';
import { eventually } from '../../support/up.js';

interface Subject {
  readonly namespace: string;
  /** A running Pod, one of two that have the labels. */
  readonly name: string;
  readonly labels: Record<string, string>;
}

const strategic = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);

/** What can be asked of a Pod beside reading and writing it; the Pod is gone afterwards. @throws Error */
export async function drivePodSubresources(
  config: KubeConfig,
  { namespace, name, labels }: Subject,
  proved: (what: string) => void,
): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const pod = { namespace, name };

  const condition = { type: 'example.com/checked', status: 'True' };
  const checked = await core.patchNamespacedPodStatus(
    { ...pod, body: { status: { conditions: [condition] } } },
    strategic,
  );
  if (!checked.status?.conditions?.some(({ type }) => type === condition.type)) throw new Error('no condition');
  proved('status subresource, patched');

  const debug = { name: 'debug', image: 'busybox', command: ['sleep', '600'] };
  const body = { spec: { ephemeralContainers: [debug] } };
  await core.patchNamespacedPodEphemeralcontainers({ ...pod, body }, strategic);
  await eventually(
    'the ephemeral container to run',
    async () => (await core.readNamespacedPod(pod)).status?.ephemeralContainerStatuses?.[0]?.state?.running,
    running => running !== undefined,
  );
  proved('an ephemeral container');

  const { status } = await core.createNamespacedServiceAccountToken({
    namespace,
    name: 'default',
    body: { spec: { audiences: ['https://kubernetes.default.svc.cluster.local'], expirationSeconds: 600 } },
  });
  const reviews = config.makeApiClient(AuthenticationV1Api);
  const review = await reviews.createTokenReview({ body: { spec: { token: status?.token ?? '' } } });
  if (review.status?.user?.username !== `system:serviceaccount:${namespace}:default`)
    throw new Error(`the token is nobody's: ${JSON.stringify(review.status)}`);
  proved('a token and its review');

  const budgets = config.makeApiClient(PolicyV1Api);
  const spec = { maxUnavailable: 0, selector: { matchLabels: labels } };
  await budgets.createNamespacedPodDisruptionBudget({ namespace, body: { metadata: { name }, spec } });
  const evict = (): Promise<number> =>
    core.createNamespacedPodEviction({ ...pod, body: { metadata: { name, namespace } } }).then(
      () => 201,
      (error: unknown) => (error instanceof ApiException ? error.code : 0),
    );
  const refused = await evict();
  await budgets.deleteNamespacedPodDisruptionBudget(pod);
  const granted = await evict();
  if (refused !== 429 || granted !== 201) throw new Error(`evictions answered ${refused} and ${granted}`);
  await eventually(
    'the Pod to be gone',
    async () => (await core.listNamespacedPod({ namespace })).items.map(item => item.metadata?.name),
    names => !names.includes(name),
  );
  proved('eviction, refused by a budget and granted without');
}

import {
  ApiException,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  makeInformer,
  V1MicroTime,
  type KubeConfig,
} from '@kubernetes/client-node';
import { GROUP, PLURAL, type Greeting } from './definition.js';

const FINALIZER = `${GROUP}/farewell`;

const codeOf = (error: unknown): number | undefined => (error instanceof ApiException ? error.code : undefined);

/** Holds the lease of a name: the first one does, until it lets go. @returns whether this is it */
export async function lead(config: KubeConfig, namespace: string, holderIdentity: string): Promise<boolean> {
  const api = config.makeApiClient(CoordinationV1Api);
  const spec = { holderIdentity, leaseDurationSeconds: 15, renewTime: new V1MicroTime() };
  try {
    await api.createNamespacedLease({ namespace, body: { metadata: { name: 'greetings' }, spec } });
    return true;
  } catch (error) {
    if (codeOf(error) !== 409) throw error;
    const lease = await api.readNamespacedLease({ namespace, name: 'greetings' });
    return lease.spec?.holderIdentity === holderIdentity;
  }
}

/** Keeps a ConfigMap for every Greeting. */
export class Reconciler {
  private readonly custom: CustomObjectsApi;
  private readonly core: CoreV1Api;
  /** One after the other. */
  private last: Promise<void> = Promise.resolve();
  private readonly informer;
  failure: unknown;

  constructor(
    config: KubeConfig,
    private readonly namespace: string,
  ) {
    this.custom = config.makeApiClient(CustomObjectsApi);
    this.core = config.makeApiClient(CoreV1Api);
    const where = { group: GROUP, version: 'v1', namespace, plural: PLURAL };
    this.informer = makeInformer<Greeting>(
      config,
      `/apis/${GROUP}/v1/namespaces/${namespace}/${PLURAL}`,
      () => this.custom.listNamespacedCustomObject(where) as never,
    );
    for (const event of ['add', 'update'] as const)
      this.informer.on(event, ({ metadata: { name } }: { metadata: { name?: string } }) => {
        this.last = this.last
          .then(() => this.reconcile(name ?? ''))
          .catch((error: unknown) => {
            // What has changed or gone meanwhile comes again as an event.
            if (codeOf(error) !== 409 && codeOf(error) !== 404) this.failure = error;
          });
      });
  }

  start(): Promise<void> {
    return this.informer.start();
  }
  async stop(): Promise<void> {
    await this.informer.stop();
    await this.last;
  }

  private async reconcile(name: string): Promise<void> {
    const at = { group: GROUP, version: 'v1', namespace: this.namespace, plural: PLURAL, name };
    const greeting = (await this.custom.getNamespacedCustomObject(at)) as Greeting;
    const { metadata, spec } = greeting;
    const finalizers = metadata.finalizers ?? [];
    if (metadata.deletionTimestamp !== undefined) {
      if (!finalizers.includes(FINALIZER)) return;
      metadata.finalizers = finalizers.filter(one => one !== FINALIZER);
      return void (await this.custom.replaceNamespacedCustomObject({ ...at, body: greeting }));
    }
    if (!finalizers.includes(FINALIZER)) {
      metadata.finalizers = [...finalizers, FINALIZER];
      return void (await this.custom.replaceNamespacedCustomObject({ ...at, body: greeting }));
    }
    const shown = Array<string>(spec.times ?? 1)
      .fill(`${spec.text} (${spec.language ?? ''})`)
      .join(' ');
    const owner = { apiVersion: `${GROUP}/v1`, kind: 'Greeting', name, uid: metadata.uid ?? '', controller: true };
    const body = { metadata: { name, ownerReferences: [owner] }, data: { shown } };
    const { namespace } = this;
    await this.core.createNamespacedConfigMap({ namespace, body }).catch(async (error: unknown) => {
      if (codeOf(error) !== 409) throw error;
      await this.core.replaceNamespacedConfigMap({ namespace, name, body });
    });
    if (greeting.status?.shown === shown) return;
    greeting.status = { shown, observedGeneration: metadata.generation ?? 0 };
    await this.custom.replaceNamespacedCustomObjectStatus({ ...at, body: greeting });
  }
}

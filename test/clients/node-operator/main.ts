import {
  ApiException,
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type V1Status,
} from '@kubernetes/client-node';
import { eventually } from '../../support/up.js';
import { definition, GROUP, PLURAL, type Greeting } from './definition.js';
import { lead, Reconciler } from './reconciler.js';
import { removeWebhooks, serveWebhooks } from './webhooks.js';

const namespace = 'node-operator';
const where = { group: GROUP, version: 'v1', namespace, plural: PLURAL };

const greeting = (name: string, spec: Greeting['spec']): Greeting => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Greeting',
  metadata: { name },
  spec,
});

async function refusal(request: Promise<unknown>, text: string): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    const { message = '' } = JSON.parse(error.body as string) as V1Status;
    if (message.includes(text)) return;
    throw new Error(`refused for another reason: ${message}`, { cause: error });
  }
  throw new Error(`not refused: ${text}`);
}

const gone = (error: unknown): undefined => {
  if (error instanceof ApiException && error.code === 404) return undefined;
  throw error;
};

/** An operator on @kubernetes/client-node, and its user; `proved` is called for each thing that holds. @throws Error */
export async function driveNodeOperator(kubeconfig: string, proved: (what: string) => void): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const extensions = config.makeApiClient(ApiextensionsV1Api);
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  await extensions.createCustomResourceDefinition({ body: definition });
  const name = definition.metadata?.name ?? '';
  await eventually(
    'the definition to be established',
    () => extensions.readCustomResourceDefinition({ name }),
    ({ status }) => status?.conditions?.some(one => one.type === 'Established' && one.status === 'True') === true,
  );
  proved('the definition is established');
  if (!(await lead(config, namespace, 'first'))) throw new Error('the first does not lead');
  if (await lead(config, namespace, 'second')) throw new Error('two lead');
  proved('one of two leads');
  const webhooks = await serveWebhooks(config);
  const reconciler = new Reconciler(config, namespace);
  await reconciler.start();
  const create = (body: Greeting): Promise<unknown> => custom.createNamespacedCustomObject({ ...where, body });

  await refusal(create(greeting('long', { text: 'hello there', times: 20 })), 'a greeting may not be a speech');
  proved('a rule in CEL refuses what it should');
  await refusal(create(greeting('old', { text: 'salve', language: 'la' })), 'nobody speaks it any more');
  proved('the validating webhook refuses what it should');
  await create(greeting('hello', { text: 'hello', times: 2 }));
  const shown = async (): Promise<string | undefined> =>
    (await core.readNamespacedConfigMap({ namespace, name: 'hello' }).catch(gone))?.data?.['shown'];
  await eventually('the ConfigMap', shown, text => text === 'hello (en) hello (en)');
  proved('the mutating webhook adds a language, the reconciler a ConfigMap');
  const statusOf = async (): Promise<Greeting['status']> =>
    ((await custom.getNamespacedCustomObject({ ...where, name: 'hello' })) as Greeting).status;
  await eventually('the status', statusOf, status => status?.shown === 'hello (en) hello (en)');
  const now = (await custom.getNamespacedCustomObject({ ...where, name: 'hello' })) as Greeting;
  await custom.replaceNamespacedCustomObject({
    ...where,
    name: 'hello',
    body: { ...now, spec: { ...now.spec, text: 'hi', times: 1 } },
  });
  await eventually('the change', shown, text => text === 'hi (en)');
  proved('status and changes are followed');
  await custom.deleteNamespacedCustomObject({ ...where, name: 'hello' });
  await eventually('the ConfigMap to go', shown, text => text === undefined);
  proved('a finalizer lets go, and what was owned is collected');
  await reconciler.stop();
  if (reconciler.failure !== undefined) throw reconciler.failure as Error;
  await removeWebhooks(config, webhooks);
  await extensions.deleteCustomResourceDefinition({ name });
  await eventually(
    'the definition to go',
    () => extensions.readCustomResourceDefinition({ name }).catch(gone),
    one => one === undefined,
  );
  proved('the definition goes');
  await core.deleteNamespace({ name: namespace });
}

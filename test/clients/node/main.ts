import { PassThrough, Writable } from 'node:stream';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Deployment,
  type V1Status,
} from '@kubernetes/client-node';
import { eventually } from '../../support/up.js';
import { drivePodSubresources } from './subresources.js';

const namespace = 'client-node';
const labels = { app: 'echo' };
const patchType = (type: PatchStrategy) => setHeaderOptions('Content-Type', type);

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** The Status of a request that must fail. */
async function refusal(request: Promise<unknown>): Promise<V1Status> {
  try {
    await request;
  } catch (error) {
    if (error instanceof ApiException) return JSON.parse(error.body as string) as V1Status;
    throw error;
  }
  throw new Error('the request succeeded');
}

/** Collects what is written to it. */
function collector(): { stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  return {
    stream: new Writable({ write: (chunk: Buffer, _encoding, done) => (chunks.push(chunk), done()) }),
    text: () => Buffer.concat(chunks).toString(),
  };
}

/** Drives a running Kubette with @kubernetes/client-node; `proved` is called for each thing that holds. @throws Error */
export async function driveWithClientNode(kubeconfig: string, proved: (what: string) => void): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const objects = KubernetesObjectApi.makeApiClient(config);

  await core.createNamespace({ body: { metadata: { name: namespace } } });
  const seen: string[] = [];
  const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  for (const event of ['add', 'update', 'delete'] as const)
    informer.on(event, object => {
      if (object.metadata?.name === 'settings') seen.push(`${event} ${object.data?.['mode'] ?? ''}`);
    });
  const saw = (event: string) =>
    eventually(
      'the informer',
      async () => seen,
      all => all.includes(event),
    );
  await informer.start();

  const made = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: 'settings', labels }, data: { mode: 'first' } },
  });
  check(made.metadata?.creationTimestamp instanceof Date, 'creationTimestamp is a date');
  check((await core.readNamespacedConfigMap({ namespace, name: 'settings' })).data?.['mode'] === 'first', 'read');
  proved('create and read');
  const list = await core.listNamespacedConfigMap({ namespace, labelSelector: 'app=echo' });
  check(list.kind === 'ConfigMapList' && list.items.length === 1, 'a plain list of one');
  proved('list by label');

  const ref = { namespace, name: 'settings' };
  const patches = [
    [PatchStrategy.JsonPatch, [{ op: 'replace', path: '/data/mode', value: 'json' }], 'json'],
    [PatchStrategy.MergePatch, { data: { mode: 'merge' } }, 'merge'],
    [PatchStrategy.StrategicMergePatch, { data: { mode: 'strategic' } }, 'strategic'],
  ] as const;
  for (const [type, body, expected] of patches) {
    const { data } = await core.patchNamespacedConfigMap({ ...ref, body }, patchType(type));
    check(data?.['mode'] === expected, `${type} gave ${data?.['mode']}`);
  }
  proved('JSON, merge and strategic merge patch');

  const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref }, data: { mode: 'applied' } };
  const apply = (fieldManager: string, force: boolean) =>
    objects.patch<V1ConfigMap>(applied, undefined, undefined, fieldManager, force, PatchStrategy.ServerSideApply);
  const contested = await refusal(apply('first', false));
  check(contested.code === 409 && contested.reason === 'Conflict', 'fields of another manager conflict');
  check(contested.details?.causes?.[0]?.field === '.data.mode', 'the conflict names the field');
  const { metadata } = await apply('first', true);
  check(metadata?.managedFields?.some(entry => entry.operation === 'Apply') === true, 'the fields are tracked');
  proved('server-side apply and its conflict');

  const stale = await refusal(core.replaceNamespacedConfigMap({ ...ref, body: made }));
  check(stale.code === 409 && /the object has been modified/.test(stale.message ?? ''), 'conflict');
  proved('conflict of a stale resourceVersion');
  const missing = await refusal(core.readNamespacedConfigMap({ namespace, name: 'missing' }));
  check(missing.code === 404 && missing.reason === 'NotFound', 'not found');
  proved('not found');

  await core.deleteNamespacedConfigMap(ref);
  for (const event of ['add first', 'update merge', 'update applied', 'delete applied']) await saw(event);
  await informer.stop();
  proved('informer: added, updated, deleted');

  const name = 'echo';
  const deployment: V1Deployment = {
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name, image: 'echo', ports: [{ containerPort: 8080 }] }] },
      },
    },
  };
  await apps.createNamespacedDeployment({ namespace, body: deployment });
  const available = (replicas: number) =>
    eventually(
      `${replicas} available replicas`,
      async () => (await apps.readNamespacedDeploymentStatus({ namespace, name })).status,
      status => status?.availableReplicas === replicas,
    );
  await available(1);
  proved('a Deployment becomes available (status)');
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name });
  check(scale.spec?.replicas === 1 && scale.status?.selector === 'app=echo', 'scale');
  await apps.replaceNamespacedDeploymentScale({ namespace, name, body: { ...scale, spec: { replicas: 2 } } });
  await available(2);
  proved('scale');

  const pod = (await core.listNamespacedPod({ namespace, labelSelector: 'app=echo' })).items[0]?.metadata?.name ?? '';
  const run = async (command: string[], stdin: PassThrough | null) => {
    const [out, error] = [collector(), collector()];
    const status = await new Promise<V1Status>((resolve, reject) => {
      const exec = new Exec(config).exec(
        namespace,
        pod,
        name,
        command,
        out.stream,
        error.stream,
        stdin,
        false,
        resolve,
      );
      exec.catch(reject);
    });
    return { out: out.text(), error: error.text(), status };
  };
  const failing = await run(['sh', '-c', 'echo out; echo err >&2; exit 3'], null);
  check(failing.out === 'out\n' && failing.error === 'err\n', 'stdout and stderr are apart');
  check(failing.status.details?.causes?.[0]?.message === '3', 'the exit code arrives');
  const stdin = new PassThrough();
  stdin.end('typed\n');
  check((await run(['head', '-n', '1'], stdin)).out === 'typed\n', 'stdin arrives');
  proved('exec with stdin, stdout, stderr, exit code');

  const answer = collector();
  const input = new PassThrough();
  const forwarded = await new PortForward(config).portForward(namespace, pod, [8080], answer.stream, null, input);
  input.write('GET /through-the-port HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n');
  await eventually(
    'an answer through the port',
    async () => answer.text(),
    text => /^HTTP\/1\.1 200[^]*\n\r?\n./.test(text),
  );
  if (typeof forwarded !== 'function') forwarded.close();
  proved('port-forward');

  check((await core.readNamespacedPodLog({ namespace, name: pod })).includes('/through-the-port'), 'a log');
  const followed = collector();
  await new Log(config).log(namespace, pod, name, followed.stream, { follow: true });
  await eventually(
    'a followed log',
    async () => followed.text(),
    text => text.includes('/through-the-port'),
  );

  await drivePodSubresources(config, { namespace, name: pod, labels }, proved);
  await apps.deleteNamespacedDeployment({ namespace, name, propagationPolicy: 'Foreground' });
  await eventually(
    'the end of the log',
    async () => followed.stream.writableFinished,
    ended => ended,
  );
  proved('logs: read, and followed to the end');
  await core.deleteNamespace({ name: namespace });
  await eventually(
    'the namespace to be gone',
    async () => (await core.listNamespace()).items.map(item => item.metadata?.name),
    names => !names.includes(namespace),
  );
  proved('delete, in the foreground, and of the namespace');
}

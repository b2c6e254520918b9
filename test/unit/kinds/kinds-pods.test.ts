import t from 'tap';
import { path, type FieldError } from '../../../src/machinery/field-error.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { isLatestImage } from '../../../src/kinds/core/pod/image-defaults.js';
import { podSpecWarnings } from '../../../src/kinds/core/pod/pod-warnings.js';
import { checkPodSpec } from '../../../src/kinds/core/pod/validation/pod-spec.js';
import {
  cellsOf,
  context,
  created,
  createErrors,
  defaulted,
  partErrors,
  strategyOf,
  updateErrors,
} from '../../support/kinds.js';

const CREATED = '2026-01-01T00:00:00Z';

const pod = (spec: object = {}, container: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'ns', creationTimestamp: CREATED },
  spec: { containers: [{ name: 'c', image: 'registry.example/app:1.0', ...container }], ...spec },
});

type Spec = Record<string, unknown> & { containers: Record<string, unknown>[] };
const specOf = (object: KubeObject): Spec => object['spec'] as Spec;

t.test('defaults of a Pod', async t => {
  const spec = specOf(
    defaulted(
      'pods',
      pod({ volumes: [{ name: 'v', configMap: { name: 'm' } }] }, { resources: { limits: { cpu: '1' } } }),
    ),
  );
  t.match(spec, {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
    securityContext: {},
    volumes: [{ configMap: { defaultMode: 0o644 } }],
  });
  t.match(spec.containers[0], {
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
  });
  t.equal(specOf(defaulted('pods', pod({}, { image: 'app' }))).containers[0]?.['imagePullPolicy'], 'Always');
  const again = defaulted('pods', defaulted('pods', pod()));
  t.strictSame(again, defaulted('pods', pod()), 'defaulting twice changes nothing');
});

t.test('status of a new Pod', async t => {
  const qos = (container: object): unknown =>
    (created('pods', pod({}, container))['status'] as { qosClass: string }).qosClass;
  t.equal(qos({}), 'BestEffort');
  t.equal(qos({ resources: { requests: { cpu: '1' } } }), 'Burstable');
  t.equal(qos({ resources: { limits: { cpu: '1', memory: '1Gi' } } }), 'Guaranteed');
  t.match(created('pods', pod())['status'], { phase: 'Pending' });
});

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

t.test('Pods that are refused', async t => {
  const cases: { name: string; object: KubeObject; expect: string[] }[] = [
    { name: 'a good one', object: pod(), expect: [] },
    { name: 'no containers', object: pod({ containers: [] }), expect: ['spec.containers: Required value'] },
    {
      name: 'a bad name',
      object: pod({}, { name: 'A' }),
      expect: [`spec.containers[0].name: Invalid value: "A": ${LABEL}`],
    },
    { name: 'no image', object: pod({}, { image: '' }), expect: ['spec.containers[0].image: Required value'] },
    {
      name: 'two containers of one name',
      object: pod({
        containers: [
          { name: 'c', image: 'i:1' },
          { name: 'c', image: 'i:1' },
        ],
      }),
      expect: ['spec.containers[1].name: Duplicate value: "c"'],
    },
    {
      name: 'an unknown restart policy',
      object: pod({ restartPolicy: 'Sometimes' }),
      expect: ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    },
    {
      name: 'requests above limits',
      object: pod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      expect: [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    },
    {
      name: 'a mount without its volume',
      object: pod({}, { volumeMounts: [{ name: 'v', mountPath: '/x' }] }),
      expect: ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    },
    {
      name: 'a probe of two kinds',
      object: pod({}, { livenessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 1 } } }),
      expect: ['spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type'],
    },
    {
      name: 'a port out of range',
      object: pod({}, { ports: [{ containerPort: 70000 }] }),
      expect: [
        'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      ],
    },
  ];
  for (const { name, object, expect } of cases) t.strictSame(createErrors('pods', object), expect, name);
});

t.test('updates of a Pod', async t => {
  t.strictSame(
    updateErrors('pods', pod(), object => {
      const [container] = specOf(object).containers;
      if (container !== undefined) container['image'] = 'i:2';
      specOf(object)['activeDeadlineSeconds'] = 10;
    }),
    [],
    'images and a first deadline may change',
  );
  const [error = ''] = updateErrors('pods', pod(), object => {
    specOf(object)['hostname'] = 'x';
  });
  t.match(error, /^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`/);
  t.match(error, /-\s+"Hostname": "",\n\+\s+"Hostname": "x",/, 'the difference is shown');
});

t.test('status of a Pod', async t => {
  const withStatus = (status: object): KubeObject => ({ ...defaulted('pods', pod()), status });
  t.strictSame(partErrors('pods', 'status', withStatus({ phase: 'Running', podIPs: [{ ip: '192.0.2.1' }] })), []);
  t.strictSame(
    partErrors('pods', 'status', withStatus({ podIPs: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2' }] })).length,
    1,
    'one address of a family',
  );
  const aligned = defaulted('pods', { ...pod(), status: { podIP: '192.0.2.2', podIPs: [{ ip: '192.0.2.1' }] } });
  t.match(aligned['status'], { podIPs: [{ ip: '192.0.2.2' }] }, 'podIP wins');
});

t.test('what Pods print', async t => {
  t.strictSame(cellsOf('pods', created('pods', pod())), [
    'a',
    '0/1',
    'Pending',
    '0',
    '10m',
    '<none>',
    '<none>',
    '<none>',
    '<none>',
  ]);
  const waiting = { name: 'c', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } };
  const crashing = {
    ...created('pods', pod({ nodeName: 'n' })),
    status: { phase: 'Running', containerStatuses: [waiting] },
  };
  t.match(cellsOf('pods', crashing), ['a', '0/1', 'CrashLoopBackOff', '3']);
  const deleted = created('pods', pod());
  deleted.metadata.deletionTimestamp = CREATED;
  t.equal(cellsOf('pods', deleted)[2], 'Terminating');
});

t.test('where requests to a Pod go', async t => {
  const log = strategyOf('pods').subresources?.['log'];
  if (log?.kind !== 'connect') return void t.fail('log is a connection');
  const key = { namespace: 'ns', name: 'a' };
  const scheduled = context({ 'pods/ns/a': defaulted('pods', pod({ nodeName: 'n' })) });
  t.strictSame(log.target(scheduled, key, new URLSearchParams('tailLines=1&follow=true')), {
    kind: 'kubelet',
    node: 'n',
    path: '/containerLogs/ns/a/c?follow=true&tailLines=1',
    upgrade: false,
  });
  t.throws(
    () => log.target(scheduled, key, new URLSearchParams('container=x')),
    { message: 'container x is not valid for pod a' },
    'an unknown container',
  );
  t.equal(log.target(context({ 'pods/ns/a': defaulted('pods', pod()) }), key, new URLSearchParams()), undefined);
});

t.test('images that are pulled each time', async t => {
  const cases: [image: string, latest: boolean][] = [
    ['app', true],
    ['app:latest', true],
    ['app:1.0', false],
    ['localhost:5000/app', true],
    ['registry.example:5000/team/app:1.0', false],
    [`app@sha256:${'a'.repeat(64)}`, false],
    [`app:latest@sha256:${'a'.repeat(64)}`, true],
    ['Not_A_Name!', false],
    ['', false],
    ['a'.repeat(64), false],
    ['UPPER/app', true],
  ];
  for (const [image, latest] of cases) t.equal(isLatestImage(image), latest, image);
});

/** What is wrong with a valid Pod's spec after a change: "path: message". */
function specErrors(spec: object, container: object = {}): string[] {
  const out: FieldError[] = [];
  const object = defaulted('pods', pod(spec, container));
  checkPodSpec(out, path('spec'), object['spec'] as Parameters<typeof checkPodSpec>[2], { isPod: true });
  return out.map(error => `${error.field}: ${error.message}`);
}

t.test('rules of a Pod that are about several of its fields', async t => {
  const file = { env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'p', key: 'K' } } }] };
  const rules = { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] };
  const cases: { name: string; spec?: object; container?: object; expect: string[] }[] = [
    {
      name: 'a file of no volume',
      container: file,
      expect: ['spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Not found: "v"'],
    },
    {
      name: 'a file of a volume that nothing can write',
      spec: { volumes: [{ name: 'v', configMap: { name: 'm' } }] },
      container: file,
      expect: [
        'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": referenced volume must be of type emptyDir',
      ],
    },
    { name: 'a file', spec: { volumes: [{ name: 'v', emptyDir: {} }] }, container: file, expect: [] },
    {
      name: 'two ways to name the host',
      spec: { hostnameOverride: 'h', setHostnameAsFQDN: true },
      expect: ['spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true'],
    },
    {
      name: 'rules of restarts without a policy',
      container: rules,
      expect: [
        'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
      ],
    },
    {
      name: 'less than the containers ask for',
      spec: { resources: { requests: { cpu: '1' } } },
      container: { resources: { requests: { cpu: '2', memory: '1Gi' } } },
      expect: [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
      ],
    },
    {
      name: 'a claim template with a name',
      spec: {
        volumes: [
          {
            name: 'v',
            ephemeral: {
              volumeClaimTemplate: {
                metadata: { name: 'x' },
                spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
              },
            },
          },
        ],
      },
      expect: ['spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set'],
    },
  ];
  for (const { name, spec = {}, container = {}, expect } of cases)
    t.strictSame(specErrors(spec, container), expect, name);
});

t.test('warnings of a Pod', async t => {
  const cases: { name: string; spec?: object; container?: object; expect: string[] }[] = [
    { name: 'none', expect: [] },
    {
      name: 'ports',
      container: {
        ports: [
          { containerPort: 80, protocol: 'TCP', hostIP: '1.2.3.4' },
          { containerPort: 80, protocol: 'TCP', hostPort: 80 },
        ],
      },
      expect: [
        'spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}',
        'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
      ],
    },
    {
      name: 'files in the way of each other',
      spec: {
        volumes: [
          {
            name: 'v',
            configMap: {
              name: 'm',
              items: [
                { key: 'a', path: 'x' },
                { key: 'b', path: 'x/y' },
              ],
            },
          },
        ],
      },
      expect: ['volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"'],
    },
    {
      name: 'nodes by old labels',
      spec: { nodeSelector: { 'beta.kubernetes.io/os': 'linux' }, topologySpreadConstraints: [{ topologyKey: 'z' }] },
      expect: [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
      ],
    },
  ];
  for (const { name, spec, container, expect } of cases) {
    const checked = pod(spec, container)['spec'] as Parameters<typeof podSpecWarnings>[0];
    t.strictSame(podSpecWarnings(checked, ''), expect, name);
  }
});

t.test('fields behind gates that are off are dropped', async t => {
  const registered = await import('../../../src/api/go-struct/disabled-fields.js');
  const { loadApi } = await import('../../../src/api/load.js');
  const type = loadApi().kind('', 'v1', 'Pod')?.type;
  if (type === undefined) return void t.fail('no type of Pods');
  const object = pod(
    { workloadRef: { name: 'w' }, volumes: [{ name: 'v', projected: { sources: [{ podCertificate: {} }] } }] },
    { lifecycle: { stopSignal: 'SIGTERM' } },
  );
  registered.dropDisabledFields(object, type);
  t.strictSame(object, pod({ volumes: [{ name: 'v', projected: { sources: [{}] } }] }));
});

import { loadApi } from '../../src/api/load.js';
import { applyDefaults } from '../../src/api/go-struct/apply-defaults.js';
import { decode } from '../../src/api/codec/decode.js';
import { dropDisabledFields } from '../../src/api/go-struct/disabled-fields.js';
import { podStrategy } from '../../src/kinds/core/pod/pod.js';
import type { Pod } from '../../src/machinery/types.js';
import { quantile, type Row } from './table.js';

const container = (i: number): object => ({
  name: `c${i}`,
  image: `registry.example.org/team/app:1.${i}`,
  command: ['/bin/app', '--flag=value'],
  ports: [{ name: `http${i}`, containerPort: 8080 + i }],
  env: [
    { name: 'LEVEL', value: 'some value' },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ],
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '256Mi' } },
  livenessProbe: { httpGet: { path: '/healthz', port: 8080 } },
  readinessProbe: { tcpSocket: { port: 8080 } },
  volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
  securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
});

const POD = Buffer.from(
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'default',
      labels: { app: 'web', tier: 'front' },
      annotations: { 'example.org/note': 'n'.repeat(880) },
    },
    spec: {
      containers: [container(1), container(2), container(3)],
      volumes: [{ name: 'config', configMap: { name: 'web' } }],
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    },
  }),
);

const WARM_UP = 3_000;
const ROUNDS = 9;
const PER_ROUND = 1_000;

/** Microseconds of one call, median of rounds, when warm. */
function microseconds(work: () => void): string {
  for (let i = 0; i < WARM_UP; i++) work();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    for (let i = 0; i < PER_ROUND; i++) work();
    return ((performance.now() - start) / PER_ROUND) * 1000;
  });
  return `${quantile(rounds, 0.5).toFixed(0)} us`;
}

/** What the server does with the body of a Pod before it is stored, in this process. */
export function podInProcess(): Row[] {
  const api = loadApi();
  const kind = api.kind('', 'v1', 'Pod');
  if (kind === undefined) throw new Error('no Pods');
  const ctx = { namespace: () => undefined };
  const read = (): Pod => {
    const pod = decode(POD, 'application/json', kind, api).object as Pod;
    applyDefaults(pod, kind.type);
    podStrategy.default?.(pod);
    dropDisabledFields(pod, kind.type);
    return pod;
  };
  const validate = (pod: Pod): void => {
    const problems = podStrategy.validate?.(ctx, pod) ?? [];
    if (problems.length > 0) throw new Error(`the Pod is not valid: ${JSON.stringify(problems)}`);
  };
  const pod = read();
  const size = `${(POD.length / 1000).toFixed(1)} KB Pod, warm`;
  return [
    { what: `${size}: validated`, value: microseconds(() => validate(pod)), goal: 'goal: under 100 us' },
    { what: `${size}: decoded, defaulted and validated`, value: microseconds(() => validate(read())) },
  ];
}

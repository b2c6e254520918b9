/** Kinds of objects as the rows name them. */
export const NAMESPACE = 'bench';
export const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
export const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
export const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;

const text = (length: number): string =>
  'The quick brown fox jumps over the lazy dog. '.repeat(1 + length / 45).slice(0, length);

/** With what is around it, a kilobyte. */
export const ONE_KB = text(880);

export const configMap = (
  name: string,
  data: Readonly<Record<string, string>> = { text: ONE_KB },
  labels: Readonly<Record<string, string>> = {},
): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data });

export const mapOfSize = (name: string, bytes: number): string => configMap(name, { text: text(bytes) });

const env = (count: number): readonly object[] =>
  Array.from({ length: count }, (_, i) => ({ name: `SETTING_${i}`, value: `https://service-${i}.example.com:8443/` }));

const probe = (path: string): object => ({ httpGet: { path, port: 8080 }, periodSeconds: 10, failureThreshold: 3 });

/** On a node that there is not, so that nothing runs it. */
export interface PodAsked {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nodeName: string;
}

/** About 3 KB as it is sent, 4.7 KB as it is listed. */
export const pod = ({ name, labels, nodeName }: PodAsked): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels,
      annotations: { 'example.com/config-hash': 'd2c1f7a9'.repeat(8), 'example.com/owner': 'team-a@example.com' },
    },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 5,
      containers: ['web', 'sidecar'].map(container => ({
        name: container,
        image: `registry.example.com/team-a/${container}:1.27.3`,
        args: ['--listen=:8080', '--log-level=info', `--instance=${name}`],
        ports: [{ name: `http-${container}`, containerPort: 8080 }],
        env: env(10),
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        readinessProbe: probe('/ready'),
        livenessProbe: probe('/alive'),
        volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
      })),
      volumes: [{ name: 'config', configMap: { name: 'app' } }],
    },
  });

/** What a kubelet says of a Pod that runs, or has just begun to. */
export function podStatus(round: number): string {
  const ready = round % 2 === 0;
  const at = new Date(1_750_000_000_000 + round * 1000).toISOString().replace('.000Z', 'Z');
  const condition = (type: string): object => ({
    type,
    status: ready ? 'True' : 'False',
    lastTransitionTime: at,
    ...(ready ? {} : { reason: 'ContainersNotReady', message: 'containers with unready status: [web sidecar]' }),
  });
  return JSON.stringify({
    status: {
      phase: 'Running',
      podIP: '10.244.1.7',
      podIPs: [{ ip: '10.244.1.7' }],
      startTime: '2025-06-15T15:06:40Z',
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
      containerStatuses: ['web', 'sidecar'].map(name => ({
        name,
        image: `registry.example.com/team-a/${name}:1.27.3`,
        imageID: '',
        ready,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: '2025-06-15T15:06:40Z' } },
      })),
    },
  });
}

/** As it is applied: each `round` is a change of it. */
export const deployment = (name: string, round: number): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'web',
              image: `registry.example.com/team-a/web:1.${round}`,
              ports: [{ name: 'http', containerPort: 8080 }],
              env: env(10),
              resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
              readinessProbe: probe('/ready'),
            },
          ],
        },
      },
    },
  });

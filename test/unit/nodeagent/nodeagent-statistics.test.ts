import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { hostKernels, hostRoutes } from '../../support/host-routes.js';
import { nodeLogs } from '../../../src/nodeagent/kubelet-api/node-logs.js';
import { configz, metrics, stats } from '../../../src/nodeagent/kubelet-api/stats.js';
import { HttpError, type KubeletRoute } from '../../../src/nodeagent/kubelet-api/types.js';
import { prometheusText } from '../../../src/nodeagent/node/prometheus-text.js';
import { kubeletFacts, pod, startNode } from '../../support/simulated-node.js';

t.test('logs, configuration, statistics and metrics of a node', async t => {
  const node = startNode();
  const say = ['sh', '-c', 'echo out; echo err >&2; seq 1 5000 > /tmp/f; seq 1 5000 > /e/f; sleep infinity'];
  const probe = { exec: { command: ['true'] }, periodSeconds: 1 };
  node.load(
    pod('web', {
      volumes: [{ name: 'e', emptyDir: {} }],
      containers: [
        {
          name: 'c',
          image: 'busybox',
          command: say,
          livenessProbe: probe,
          volumeMounts: [{ name: 'e', mountPath: '/e' }],
          resources: { limits: { memory: '64Mi' } },
        },
      ],
    }),
    pod('done', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox', command: ['true'] }] }),
    pod('rejected', { nodeSelector: { none: 'such' }, containers: [{ name: 'c', image: 'busybox' }] }),
  );
  node.start();
  await node.until('runs', () => node.condition('web', 'Ready')?.status === 'True');
  await node.until('done', () => node.status('done').phase === 'Succeeded');
  await node.until('rejected', () => node.status('rejected').phase === 'Failed');
  await node.until('probed', () => {
    node.clock.step(100);
    return node.counters.families().some(f => f.name === 'prober_probe_total');
  });
  const { manager, clock, network } = node;
  if (manager === undefined) throw new Error('the node runs');
  await node.until('written', () => {
    const use = manager.find('default', 'web')?.diskUsage();
    return use?.volumes.get('e')?.bytes === 23_893 && use.containers.get('c')?.rootfs === 23_893;
  });
  const context = {
    ...kubeletFacts(),
    counters: node.counters,
    nodeName: 'node-1',
    pods: manager,
    network,
    kernels: hostKernels(createKernel({ clock, random: () => 0.5, routes: hostRoutes('172.18.0.2') })),
    clock,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };
  const routes: Readonly<Record<string, KubeletRoute>> = { logs: nodeLogs, stats, metrics, configz };
  const server = createServer((message, response) => {
    const url = new URL(message.url ?? '/', 'http://node');
    const [name = '', ...segments] = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const signal = new AbortController().signal;
    routes[name]?.(context, { message, response, url, segments, signal }).catch((error: unknown) => {
      response.writeHead(error instanceof HttpError ? error.code : 500).end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
    return {
      code: answer.status,
      type: answer.headers.get('content-type'),
      location: answer.headers.get('location'),
      text: await answer.text(),
    };
  };
  const labels = 'container="c",namespace="default",pod="web"';
  const id = manager.container('default', 'web', 'c')?.running?.id ?? '';
  const rows: { path: string; code?: number; text?: (string | RegExp)[]; location?: string }[] = [
    { path: '/logs/', text: ['<a href="containers/">containers/</a>\n', '<a href="pods/">pods/</a>\n'] },
    { path: '/logs', code: 301, location: 'logs/' },
    { path: '/logs/pods', code: 301, location: 'pods/' },
    { path: '/logs/pods/', text: ['<a href="default_web_uid-web/">'] },
    { path: '/logs/pods/default_web_uid-web/c/', text: ['<a href="0.log">0.log</a>'] },
    {
      path: '/logs/pods/default_web_uid-web/c/0.log',
      text: [/^2026-\S+Z stdout F out\n2026-\S+Z stderr F err\n$/],
    },
    { path: `/logs/containers/web_default_c-${id}.log`, text: [/stdout F out\n/] },
    { path: '/logs/pods/default_web_uid-web/c/7.log', code: 404 },
    { path: '/logs/pods/..%2f..%2fetc/passwd', code: 404 },
    { path: '/logs/?query=kubelet', code: 400 },
    { path: '/configz', text: ['{"kubeletconfig":{"maxPods":110}}'] },
    { path: '/stats/', code: 404 },
    { path: '/metrics/nothing', code: 404 },
    { path: '/metrics/constructor', code: 404 },
    {
      path: '/metrics',
      text: [
        'kubelet_admission_rejections_total{reason="NodeAffinity"} 1\n',
        'kubelet_node_name{node="node-1"} 1\n',
        'kubelet_running_pods 1\n',
        'kubelet_running_containers{container_state="running"} 1\n',
        'kubelet_started_containers_total{container_type="container"} 2\n',
        'git_version="v1.35.4"',
      ],
    },
    {
      path: '/metrics/resource',
      text: [
        /# TYPE container_cpu_usage_seconds_total counter\ncontainer_cpu_usage_seconds_total\{container="c",namespace="default",pod="web"\} \d+(\.\d+)? \d{13}\n/,
        `container_start_time_seconds{${labels}} `,
        /^node_memory_working_set_bytes \d+ \d{13}$/m,
        'resource_scrape_error 0\n',
      ],
    },
    {
      path: '/metrics/cadvisor',
      text: [`container_fs_usage_bytes{container="c",id="/kubepods/poduid-web/${id}"`, 'machine_cpu_cores 4\n'],
    },
    {
      path: '/metrics/probes',
      text: [/prober_probe_total\{container="c",.*probe_type="Liveness",result="successful"\} \d+\n/],
    },
  ];
  for (const { path, code = 200, text = [], location } of rows) {
    const answer = await get(path);
    t.equal(answer.code, code, `${path}: ${answer.text}`);
    if (location !== undefined) t.equal(answer.location, location, path);
    for (const part of text)
      t.ok(typeof part === 'string' ? answer.text.includes(part) : part.test(answer.text), `${path}: ${answer.text}`);
  }

  const summary = JSON.parse((await get('/stats/summary')).text) as { node: object; pods: object[] };
  t.match(summary.node, {
    nodeName: 'node-1',
    cpu: { usageNanoCores: Number },
    fs: { capacityBytes: 107_374_182_400 },
  });
  t.equal(summary.pods.length, 1, 'Pods that run');
  t.match(summary.pods[0], {
    podRef: { name: 'web', namespace: 'default', uid: 'uid-web' },
    containers: [
      { name: 'c', memory: { workingSetBytes: Number }, rootfs: { usedBytes: 23_893 }, logs: { usedBytes: 8 } },
    ],
    volume: [{ name: 'e', usedBytes: 23_893 }],
    'ephemeral-storage': { usedBytes: 2 * 23_893 + 8 },
  });
  const short = JSON.parse((await get('/stats/summary?only_cpu_and_memory=true')).text) as {
    pods: { volume?: object }[];
  };
  t.equal(short.pods[0]?.volume, undefined);
  server.close();
  server.closeAllConnections();
  node.stop();
});

t.test('the text of metrics', async t => {
  const rows = [
    { name: 'nothing', labels: {}, expect: 'm 1' },
    { name: 'labels are sorted', labels: { b: '2', a: '1' }, expect: 'm{a="1",b="2"} 1' },
    { name: 'what cannot be in a label', labels: { a: 'x"\n\\' }, expect: 'm{a="x\\"\\n\\\\"} 1' },
  ];
  for (const { name, labels, expect } of rows)
    t.equal(
      prometheusText([{ name: 'm', help: 'h', type: 'gauge', samples: [{ labels, value: 1 }] }]),
      `# HELP m h\n# TYPE m gauge\n${expect}\n`,
      name,
    );
});

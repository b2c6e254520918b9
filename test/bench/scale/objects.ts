import type { Deployment, EndpointSlice, Pod, Service } from '../../../src/machinery/types.js';

export const PAUSE = 'registry.k8s.io/pause:3.10';

export const deployment = (name: string, replicas: number, rollingUpdate: object = {}, app = name): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app, name } },
    strategy: { type: 'RollingUpdate', rollingUpdate },
    template: { metadata: { labels: { app, name } }, spec: { containers: [{ name: 'c', image: PAUSE }] } },
  },
});

export const serviceOf = (name: string, selector?: Record<string, string>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ...(selector === undefined ? {} : { selector }), ports: [{ port: 80, protocol: 'TCP' }] },
});

/** A Pod that no agent runs: its status is written by the bench. */
export const idlePod = (name: string, labels: Record<string, string>, nodeName: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels },
  spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: 'c', image: PAUSE }] },
});

/** Endpoints of a Service without a selector, so many from number `first` on. */
export const sliceOf = (service: string, part: number, first: number, count: number): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${service}-${part}`, namespace: 'default', labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  endpoints: Array.from({ length: count }, (_, i) => ({
    addresses: [`10.250.${(first + i) >> 8}.${(first + i) & 255}`],
    conditions: { ready: true },
  })),
});

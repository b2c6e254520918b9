import type { KnownImage } from '../types.js';
import { flagOf, html, json, metrics, portOf, redirect, servedImage, text, type Served } from './served.js';

const PROMETHEUS = '3.5.0';

/** Prometheus' answer to a query: nothing has been measured. */
const noResult = { status: 'success', data: { resultType: 'vector', result: [] } };

/** What a cluster is watched with, and other servers that are asked over HTTP whether they are well. */
const SERVICES: readonly Served[] = [
  {
    names: ['prom/prometheus', 'prometheus/prometheus', 'bitnami/prometheus'],
    about: '/-/healthy, /-/ready, /metrics and the API; it scrapes nothing, queries have no result',
    program: '/bin/prometheus',
    port: 9090,
    listens: process => portOf(flagOf(process, 'web.listen-address')),
    says: port => `level=INFO msg="Server is ready to receive web requests." address=:${port} simulated=true`,
    routes: {
      '/-/healthy': () => text('Prometheus Server is Healthy.\n'),
      '/-/ready': () => text('Prometheus Server is Ready.\n'),
      '/-/reload': ({ method }) => (method === 'GET' ? text('Only POST or PUT requests allowed\n', 405) : text('')),
      '/metrics': () => metrics({ up: 1, prometheus_ready: 1 }),
      '/api/v1/query': () => json(noResult),
      '/api/v1/query_range': () => json({ status: 'success', data: { resultType: 'matrix', result: [] } }),
      '/api/v1/targets': () => json({ status: 'success', data: { activeTargets: [], droppedTargets: [] } }),
      '/api/v1/rules': () => json({ status: 'success', data: { groups: [] } }),
      '/api/v1/labels': () => json({ status: 'success', data: [] }),
      '/api/v1/status/buildinfo': () => json({ status: 'success', data: { version: PROMETHEUS } }),
      '/': () => redirect('/query'),
      '/query': () => html('Prometheus'),
    },
    user: 65534,
  },
  {
    names: ['prom/alertmanager', 'prometheus/alertmanager'],
    about: '/-/healthy, /-/ready, /metrics, /api/v2/status; it has no alerts',
    program: '/bin/alertmanager',
    port: 9093,
    listens: process => portOf(flagOf(process, 'web.listen-address')),
    routes: {
      '/-/healthy': () => text('OK'),
      '/-/ready': () => text('OK'),
      '/metrics': () => metrics({ alertmanager_alerts: 0 }),
      '/api/v2/status': () => json({ cluster: { status: 'ready', peers: [] }, versionInfo: { version: '0.28.1' } }),
      '/api/v2/alerts': () => json([]),
      '/': () => html('Alertmanager'),
    },
    user: 65534,
  },
  {
    names: ['node-exporter'],
    about: '/metrics, with a few numbers',
    program: '/bin/node_exporter',
    port: 9100,
    listens: process => portOf(flagOf(process, 'web.listen-address')),
    routes: { '/metrics': () => metrics({ node_up: 1 }), '/': () => html('Node Exporter') },
    user: 65534,
  },
  {
    names: ['grafana/grafana', 'grafana/grafana-oss', 'grafana/grafana-enterprise', 'bitnami/grafana'],
    about: '/api/health, /login, /metrics; it has no dashboards',
    program: '/run.sh',
    port: 3000,
    listens: ({ env }) => portOf(env['GF_SERVER_HTTP_PORT']),
    says: port =>
      `logger=http.server level=info msg="HTTP Server Listen" address=[::]:${port} protocol=http simulated=true`,
    routes: {
      '/api/health': () => json({ database: 'ok', version: '12.1.1', commit: 'simulated' }),
      '/healthz': () => text('Ok'),
      '/api/search': () => json([]),
      '/api/datasources': () => json([]),
      '/metrics': () => metrics({ grafana_build_info: 1 }),
      '/login': () => html('Grafana'),
      '/': () => redirect('/login'),
    },
    user: 472,
  },
  {
    names: ['library/registry'],
    about: '/v2/ and an empty catalog; it stores no images',
    program: '/entrypoint.sh',
    cmd: ['/etc/distribution/config.yml'],
    port: 5000,
    listens: ({ env }) => portOf(env['REGISTRY_HTTP_ADDR']),
    routes: {
      '/v2/': ({ path }) =>
        path === '/v2/'
          ? json({})
          : json({ errors: [{ code: 'NAME_UNKNOWN', message: 'repository name not known to registry' }] }, 404),
      '/v2/_catalog': () => json({ repositories: [] }),
      '/': () => text(''),
    },
  },
  {
    names: ['hashicorp/vault', 'library/vault'],
    about: '/v1/sys/health of a server that is initialized and unsealed; it keeps no secrets',
    program: 'docker-entrypoint.sh',
    cmd: ['server', '-dev'],
    aliases: { vault: 'server' },
    port: 8200,
    says: port => `==> Vault server started! (simulated) Listener: tcp (addr: "0.0.0.0:${port}")`,
    routes: {
      '/v1/sys/health': () => json({ initialized: true, sealed: false, standby: false, version: '1.20.2' }),
      '/v1/sys/seal-status': () => json({ type: 'shamir', initialized: true, sealed: false, t: 1, n: 1, progress: 0 }),
      '/v1/sys/leader': () => json({ ha_enabled: false, is_self: true, leader_address: '' }),
      '/v1/': () => json({ errors: ['not simulated; see `kubette images`'] }, 501),
      '/': () => redirect('/ui/'),
      '/ui/': () => html('Vault'),
    },
  },
  {
    names: ['hashicorp/consul', 'library/consul'],
    about: '/v1/status/leader, /v1/agent/self and empty lists; it keeps no services',
    program: 'docker-entrypoint.sh',
    cmd: ['agent', '-dev', '-client', '0.0.0.0'],
    aliases: { consul: 'agent' },
    port: 8500,
    says: () => '==> Consul agent running! (simulated)',
    routes: {
      '/v1/status/leader': ({ process }) => json(`${process.container.pod.ip}:8300`),
      '/v1/status/peers': ({ process }) => json([`${process.container.pod.ip}:8300`]),
      '/v1/agent/self': ({ process }) => json({ Config: { NodeName: process.container.hostname, Version: '1.21.4' } }),
      '/v1/catalog/services': () => json({ consul: [] }),
      '/v1/health/state/': () => json([]),
      '/': () => redirect('/ui/'),
      '/ui/': () => html('Consul'),
    },
  },
  {
    names: ['minio/minio', 'bitnami/minio', 'bitnamilegacy/minio'],
    about: '/minio/health/live and the like; requests of S3 are refused, as no objects are kept; console on 9001',
    program: 'docker-entrypoint.sh',
    cmd: ['server', '/data'],
    aliases: { minio: 'server' },
    port: 9000,
    morePorts: [9001],
    listens: process => portOf(flagOf(process, 'address')),
    says: port => `API: http://0.0.0.0:${port} (simulated: it keeps no objects)`,
    routes: {
      '/minio/health/live': () => text(''),
      '/minio/health/ready': () => text(''),
      '/minio/health/cluster': () => text(''),
      '/minio/v2/metrics/cluster': () => metrics({ minio_cluster_health_status: 1 }),
      '/login': () => html('MinIO Console'),
      '': ({ path }) => ({
        status: 501,
        type: 'application/xml',
        body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NotImplemented</Code><Message>not simulated; see kubette images</Message><Resource>${path.replace(/[&<>]/g, c => `&#${c.charCodeAt(0)};`)}</Resource></Error>\n`,
      }),
    },
  },
  {
    names: ['elasticsearch', 'opensearch', 'opensearchproject/opensearch'],
    about: '/, /_cluster/health and /_cat of a green cluster of one node; it keeps no indices',
    program: 'docker-entrypoint.sh',
    cmd: ['eswrapper'],
    aliases: { elasticsearch: '', opensearch: '' },
    port: 9200,
    morePorts: [9300],
    listens: ({ env }) => portOf(env['http.port']),
    user: 1000,
    routes: {
      '/': ({ process: { container, env } }) =>
        json({
          name: env['node.name'] ?? container.hostname,
          cluster_name: env['cluster.name'] ?? 'docker-cluster',
          cluster_uuid: 'simulated',
          version: { number: '8.19.2', build_flavor: 'simulated', lucene_version: '9.12.2' },
          tagline: 'You Know, for Search',
        }),
      '/_cluster/health': ({ process }) =>
        json({
          cluster_name: process.env['cluster.name'] ?? 'docker-cluster',
          status: 'green',
          timed_out: false,
          number_of_nodes: 1,
          number_of_data_nodes: 1,
          active_primary_shards: 0,
          active_shards: 0,
          unassigned_shards: 0,
        }),
      '/_cat/health': () => text('docker-cluster green 1 1 0 0 0 0 0 0 - 100.0%\n'),
      '/_cat/nodes': ({ process }) => text(`${process.container.pod.ip} * ${process.container.hostname}\n`),
      '/_cat/indices': () => text(''),
      '/_nodes': ({ process }) => json({ nodes: { simulated: { name: process.container.hostname } } }),
      '': ({ method }) =>
        method === 'GET' || method === 'HEAD'
          ? json({ error: { type: 'index_not_found_exception', reason: 'no such index' }, status: 404 }, 404)
          : json(
              {
                error: { type: 'unsupported_operation_exception', reason: 'not simulated; see `kubette images`' },
                status: 501,
              },
              501,
            ),
    },
  },
  {
    names: ['kibana', 'opensearch-dashboards'],
    about: '/api/status of a server that is well',
    program: '/usr/local/bin/kibana-docker',
    port: 5601,
    user: 1000,
    routes: {
      '/api/status': () => json({ name: 'kibana', status: { overall: { level: 'available' } } }),
      '/': () => html('Kibana'),
      '/app/': () => html('Kibana'),
    },
  },
];

export const serviceImages: readonly KnownImage[] = SERVICES.map(servedImage);

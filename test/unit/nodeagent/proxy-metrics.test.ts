import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import { PROXY_MODES } from '../../../src/dataplane/proxiers/modes.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { prometheusText } from '../../../src/nodeagent/node/prometheus-text.js';
import { createProxyMetrics } from '../../../src/nodeagent/proxy/proxy-metrics.js';
import { exampleConfig, service, slice } from '../../fixtures/iptables/inputs.js';
import { hostRoutes } from '../../support/host-routes.js';

/** The series that kube-proxy has after some syncs, in every mode, and those where all it writes is rules of iptables. */
const EVERYWHERE = [
  'kubeproxy_proxy_healthz_total{code="200"}',
  'kubeproxy_proxy_livez_total{code="200"}',
  'kubeproxy_sync_full_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="0.001"}',
  'kubeproxy_sync_full_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="16.384"}',
  'kubeproxy_sync_full_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="+Inf"}',
  'kubeproxy_sync_full_proxy_rules_duration_seconds_sum{ip_family="IPv4"}',
  'kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"}',
  'kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"}',
  'kubeproxy_sync_proxy_rules_endpoint_changes_pending',
  'kubeproxy_sync_proxy_rules_endpoint_changes_total',
  'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"}',
  'kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"}',
  'kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="external"}',
  'kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="internal"}',
  'kubeproxy_sync_proxy_rules_service_changes_pending',
  'kubeproxy_sync_proxy_rules_service_changes_total',
];
const OF_IPTABLES = [
  'kubeproxy_sync_proxy_rules_iptables_last{ip_family="IPv4",table="filter"}',
  'kubeproxy_sync_proxy_rules_iptables_last{ip_family="IPv4",table="nat"}',
  'kubeproxy_sync_proxy_rules_iptables_total{ip_family="IPv4",table="nat"}',
];

for (const mode of PROXY_MODES)
  t.test(`the metrics of the proxy, ${mode}`, async t => {
    const config = exampleConfig({ config: {} });
    const clock = new FakeClock(1_000_000);
    const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes(...config.nodeAddresses) });
    const proxy = createProxier({ ...config, clock, mode });
    const metrics = createProxyMetrics(clock);
    const counts = metrics.family(kernel, proxy);
    const value = (series: string): number | undefined => {
      const line = prometheusText(metrics.families())
        .split('\n')
        .find(text => text.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    };
    const ports = [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30_080 }];
    proxy.onServiceUpdate(
      service('ns/s', { clusterIP: '10.200.0.1', type: 'NodePort', externalTrafficPolicy: 'Local', ports }),
    );
    counts.changed('Service');
    proxy.onSliceUpdate(slice('ns/s', { name: 'http', port: 8080 }, [{ ip: '10.66.2.1', node: 'elsewhere' }]));
    counts.changed('EndpointSlice');
    counts.queued();
    t.equal(value('kubeproxy_sync_proxy_rules_service_changes_pending'), 1);
    const { program } = proxy.sync();
    if (program !== undefined) kernel.load(program);
    counts.synced(program, { milliseconds: 3, full: true });
    metrics.answered('healthz', 200);
    metrics.answered('livez', 200);

    for (const series of EVERYWHERE) t.not(value(series), undefined, series);
    for (const series of OF_IPTABLES)
      t.equal(value(series) !== undefined, program?.kind === 'xtables', `${series} is one of iptables’ rules`);
    t.equal(value('kubeproxy_sync_proxy_rules_service_changes_pending'), 0);
    t.equal(value('kubeproxy_sync_proxy_rules_service_changes_total'), 1);
    t.equal(value('kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"}'), 1_000);
    const bucket = (le: string): string =>
      `kubeproxy_sync_full_proxy_rules_duration_seconds_bucket{ip_family="IPv4",le="${le}"}`;
    t.equal(value(bucket('0.002')), 0);
    t.equal(value(bucket('0.004')), 1);
    t.equal(
      value('kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="external"}'),
      1,
    );
  });

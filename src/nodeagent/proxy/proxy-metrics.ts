import type { Program } from '../../dataplane/kernel/program.js';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Proxier } from '../../dataplane/proxiers/types.js';
import type { Clock } from '../../machinery/clock.js';
import { createHistogram } from '../node/histogram.js';
import type { MetricFamily, Sample } from '../node/prometheus-text.js';

type Change = 'service' | 'endpoint';
type Check = 'healthz' | 'livez';

/** What kube-proxy counts of itself, under its names (pkg/proxy/metrics). */
export interface ProxyMetrics {
  changed(what: Change): void;
  /** A sync is going to be made. */
  queued(): void;
  /** One was made. `program`: what it loaded. */
  synced(program: Program | undefined, took: { readonly ms: number; readonly full: boolean }): void;
  failed(): void;
  /** A health check was answered. */
  answered(check: Check, code: number): void;
  families(): MetricFamily[];
}

const metric = (type: MetricFamily['type'], name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name: `kubeproxy_${name}`,
  help: `[ALPHA] ${help}`,
  type,
  samples,
});

export function createProxyMetrics(
  kernel: Kernel,
  proxy: Pick<Proxier, 'noLocalEndpoints'>,
  clock: Clock,
): ProxyMetrics {
  const { family } = kernel;
  const labels = { ip_family: family };
  const totals: Record<Change, number> = { service: 0, endpoint: 0 };
  const pending: Record<Change, number> = { service: 0, endpoint: 0 };
  const answers: Record<Check, Map<number, number>> = { healthz: new Map(), livez: new Map() };
  const all = createHistogram();
  const full = createHistogram();
  const partial = createHistogram();
  let lastQueued: number | undefined;
  let lastSynced: number | undefined;
  let failures = 0;
  /** Rules that the last sync wrote, by table of iptables. */
  let written: readonly { readonly table: string; readonly rules: number }[] = [];

  const time = (at: number | undefined): Sample[] => (at === undefined ? [] : [{ labels, value: at / 1000 }]);
  const changes = (what: Change, name: string): MetricFamily[] => [
    metric('gauge', `sync_proxy_rules_${what}_changes_pending`, `Pending proxy rules ${name} changes`, [
      { value: pending[what] },
    ]),
    metric('counter', `sync_proxy_rules_${what}_changes_total`, `Cumulative proxy rules ${name} changes`, [
      { value: totals[what] },
    ]),
  ];
  const checks = (check: Check): MetricFamily =>
    metric(
      'counter',
      `proxy_${check}_total`,
      `Cumulative proxy ${check} HTTP status`,
      [...answers[check]].map(([code, value]) => ({ labels: { code: String(code) }, value })),
    );

  const noLocal = (): Sample[] => {
    const { external, internal } = proxy.noLocalEndpoints();
    return [
      { labels: { ...labels, traffic_policy: 'external' }, value: external },
      { labels: { ...labels, traffic_policy: 'internal' }, value: internal },
    ];
  };

  return {
    changed(what) {
      totals[what]++;
      pending[what]++;
    },
    queued: () => void (lastQueued = clock.now()),
    synced(program, took) {
      all.observe(took.ms / 1000);
      (took.full ? full : partial).observe(took.ms / 1000);
      lastSynced = clock.now();
      pending.service = pending.endpoint = 0;
      if (program?.kind === 'xtables')
        written = program.tables.map(({ table, commands }) => ({ table, rules: commands.length }));
    },
    failed: () => void failures++,
    answered: (check, code) => void answers[check].set(code, (answers[check].get(code) ?? 0) + 1),
    families: () => [
      checks('healthz'),
      checks('livez'),
      ...changes('service', 'Service'),
      ...changes('endpoint', 'Endpoint'),
      metric(
        'histogram',
        'sync_proxy_rules_duration_seconds',
        'SyncProxyRules latency in seconds',
        all.samples(labels),
      ),
      metric(
        'histogram',
        'sync_full_proxy_rules_duration_seconds',
        'SyncProxyRules latency in seconds for full resyncs',
        full.samples(labels),
      ),
      metric(
        'histogram',
        'sync_partial_proxy_rules_duration_seconds',
        'SyncProxyRules latency in seconds for partial resyncs',
        partial.samples(labels),
      ),
      metric(
        'gauge',
        'sync_proxy_rules_last_queued_timestamp_seconds',
        'The last time a sync of proxy rules was queued',
        time(lastQueued),
      ),
      metric(
        'gauge',
        'sync_proxy_rules_last_timestamp_seconds',
        'The last time proxy rules were successfully synced',
        time(lastSynced),
      ),
      metric(
        'gauge',
        'sync_proxy_rules_no_local_endpoints_total',
        'Number of services with a Local traffic policy and no endpoints',
        noLocal(),
      ),
      ...(failures === 0 || kernel.nftables.tables().length === 0
        ? []
        : [
            metric(
              'counter',
              'sync_proxy_rules_nftables_sync_failures_total',
              'Cumulative proxy nftables sync failures',
              [{ labels, value: failures }],
            ),
          ]),
      ...(failures === 0 || written.length === 0
        ? []
        : [
            metric(
              'counter',
              'sync_proxy_rules_iptables_restore_failures_total',
              'Cumulative proxy iptables restore failures',
              [{ labels, value: failures }],
            ),
          ]),
      ...iptablesFamilies(),
    ],
  };

  function iptablesFamilies(): MetricFamily[] {
    if (written.length === 0) return [];
    const total = kernel.xtables
      .tables()
      .filter(({ touched }) => touched)
      .map(({ table, chains }) => ({
        labels: { ...labels, table },
        value: chains.reduce((sum, chain) => sum + chain.rules.length, 0),
      }));
    const last = written.map(({ table, rules }) => ({ labels: { ...labels, table }, value: rules }));
    return [
      metric('gauge', 'sync_proxy_rules_iptables_total', 'Total number of iptables rules owned by kube-proxy', total),
      metric(
        'gauge',
        'sync_proxy_rules_iptables_last',
        'Number of iptables rules written by kube-proxy in last sync',
        last,
      ),
    ];
  }
}

import type { Program } from '../../dataplane/kernel/program.js';
import type { Kernel } from '../../dataplane/kernel/types.js';
import type { Proxier } from '../../dataplane/proxiers/types.js';
import type { SyncCause } from './sync-feed.js';
import type { Clock } from '../../machinery/clock.js';
import { createHistogram, type Histogram } from '../node/histogram.js';
import type { MetricFamily, Sample } from '../node/prometheus-text.js';

type Change = 'service' | 'endpoint';
/** ServiceCIDRs are not counted. */
const CHANGES: Readonly<Record<SyncCause['kind'], Change | undefined>> = {
  Service: 'service',
  EndpointSlice: 'endpoint',
  ServiceCIDR: undefined,
};
type Check = 'healthz' | 'livez';

/** What kube-proxy counts of itself, under its names (pkg/proxy/metrics). */
export interface ProxyMetrics {
  /** Counts for the proxy of one more IP family. */
  family(kernel: Kernel, proxy: Pick<Proxier, 'noLocalEndpoints'>): FamilyMetrics;
  /** A health check was answered. */
  answered(check: Check, code: number): void;
  families(): MetricFamily[];
}

export interface FamilyMetrics {
  changed(kind: SyncCause['kind']): void;
  /** A sync is going to be made. */
  queued(): void;
  /** One was made. `program`: what it loaded. */
  synced(program: Program | undefined, took: { readonly milliseconds: number; readonly full: boolean }): void;
  failed(): void;
}

/** What is counted of one family. */
interface Counts {
  readonly kernel: Kernel;
  readonly proxy: Pick<Proxier, 'noLocalEndpoints'>;
  readonly labels: { readonly ip_family: string };
  readonly all: Histogram;
  readonly full: Histogram;
  readonly partial: Histogram;
  lastQueued: number | undefined;
  lastSynced: number | undefined;
  failures: number;
  /** Rules that the last sync wrote, by table of iptables. */
  written: readonly { readonly table: string; readonly rules: number }[];
}

const metric = (type: MetricFamily['type'], name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name: `kubeproxy_${name}`,
  help: `[ALPHA] ${help}`,
  type,
  samples,
});

const time = ({ labels }: Counts, at: number | undefined): Sample[] =>
  at === undefined ? [] : [{ labels, value: at / 1000 }];

const noLocal = ({ proxy, labels }: Counts): Sample[] => {
  const { external, internal } = proxy.noLocalEndpoints();
  return [
    { labels: { ...labels, traffic_policy: 'external' }, value: external },
    { labels: { ...labels, traffic_policy: 'internal' }, value: internal },
  ];
};

/** Both sides of an iptables sync: what it wrote, and what there is. */
const writtenRules = ({ written, labels }: Counts): Sample[] =>
  written.map(({ table, rules }) => ({ labels: { ...labels, table }, value: rules }));
const loadedRules = ({ kernel, labels, written }: Counts): Sample[] =>
  written.length === 0
    ? []
    : kernel.xtables
        .tables()
        .filter(({ touched }) => touched)
        .map(({ table, chains }) => ({
          labels: { ...labels, table },
          value: chains.reduce((sum, { ruleCount }) => sum + ruleCount, 0),
        }));

/** Upstream shows these only once there was one. */
const failuresOf =
  (loads: (counts: Counts) => boolean) =>
  (counts: Counts): Sample[] =>
    counts.failures > 0 && loads(counts) ? [{ labels: counts.labels, value: counts.failures }] : [];
const nftFailures = failuresOf(({ kernel }) => kernel.nftables.tables().length > 0);
const restoreFailures = failuresOf(({ written }) => written.length > 0);

export function createProxyMetrics(clock: Clock): ProxyMetrics {
  const counted: Counts[] = [];
  const totals: Record<Change, number> = { service: 0, endpoint: 0 };
  const pending: Record<Change, number> = { service: 0, endpoint: 0 };
  const answers: Record<Check, Map<number, number>> = { healthz: new Map(), livez: new Map() };

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
  const each = (
    type: MetricFamily['type'],
    name: string,
    help: string,
    of: (counts: Counts) => readonly Sample[],
  ): MetricFamily => metric(type, `sync_${name}`, help, counted.flatMap(of));
  const whereAny = (family: MetricFamily): MetricFamily[] => (family.samples.length === 0 ? [] : [family]);

  return {
    family(kernel, proxy) {
      const counts: Counts = {
        kernel,
        proxy,
        labels: { ip_family: kernel.family },
        all: createHistogram(),
        full: createHistogram(),
        partial: createHistogram(),
        lastQueued: undefined,
        lastSynced: undefined,
        failures: 0,
        written: [],
      };
      counted.push(counts);
      return {
        changed(kind) {
          const what = CHANGES[kind];
          if (what === undefined) return;
          totals[what]++;
          pending[what]++;
        },
        queued: () => void (counts.lastQueued = clock.now()),
        synced(program, { milliseconds, full }) {
          counts.all.observe(milliseconds / 1000);
          (full ? counts.full : counts.partial).observe(milliseconds / 1000);
          counts.lastSynced = clock.now();
          pending.service = pending.endpoint = 0;
          if (program?.kind === 'xtables')
            counts.written = program.tables.map(({ table, commands }) => ({
              table,
              rules: commands.reduce((sum, one) => sum + (one.kind === 'addRules' ? one.rules.length : 0), 0),
            }));
        },
        failed: () => void counts.failures++,
      };
    },
    answered: (check, code) => void answers[check].set(code, (answers[check].get(code) ?? 0) + 1),
    families: () => [
      checks('healthz'),
      checks('livez'),
      ...changes('service', 'Service'),
      ...changes('endpoint', 'Endpoint'),
      each('histogram', 'proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds', ({ all, labels }) =>
        all.samples(labels),
      ),
      each(
        'histogram',
        'full_proxy_rules_duration_seconds',
        'SyncProxyRules latency in seconds for full resyncs',
        ({ full, labels }) => full.samples(labels),
      ),
      each(
        'histogram',
        'partial_proxy_rules_duration_seconds',
        'SyncProxyRules latency in seconds for partial resyncs',
        ({ partial, labels }) => partial.samples(labels),
      ),
      each(
        'gauge',
        'proxy_rules_last_queued_timestamp_seconds',
        'The last time a sync of proxy rules was queued',
        counts => time(counts, counts.lastQueued),
      ),
      each(
        'gauge',
        'proxy_rules_last_timestamp_seconds',
        'The last time proxy rules were successfully synced',
        counts => time(counts, counts.lastSynced),
      ),
      each(
        'gauge',
        'proxy_rules_no_local_endpoints_total',
        'Number of services with a Local traffic policy and no endpoints',
        noLocal,
      ),
      ...[
        each(
          'counter',
          'proxy_rules_nftables_sync_failures_total',
          'Cumulative proxy nftables sync failures',
          nftFailures,
        ),
        each(
          'counter',
          'proxy_rules_iptables_restore_failures_total',
          'Cumulative proxy iptables restore failures',
          restoreFailures,
        ),
        each('gauge', 'proxy_rules_iptables_total', 'Total number of iptables rules owned by kube-proxy', loadedRules),
        each(
          'gauge',
          'proxy_rules_iptables_last',
          'Number of iptables rules written by kube-proxy in last sync',
          writtenRules,
        ),
      ].flatMap(whereAny),
    ],
  };
}

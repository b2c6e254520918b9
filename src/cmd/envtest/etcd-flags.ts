import type { FlagTable } from './flags.js';

/** Flags of etcd 3.6 that kits and people pass. Any other is refused as unknown, by name. */
export const ETCD_FLAGS: FlagTable = {
  program: 'etcd',
  honoured: {
    // Every kit says these two. Nobody is told the first, and there are no peers to listen to.
    'advertise-client-urls': 'http://localhost:2379',
    'listen-peer-urls': 'http://localhost:2380',
    'data-dir': '',
    'listen-client-urls': 'http://localhost:2379',
    name: 'default',
    'unsafe-no-fsync': false,
  },
  harmless: [
    {
      why: 'there is one member, and it has no peers',
      flags: {
        'election-timeout': '1000',
        'heartbeat-interval': '100',
        'initial-advertise-peer-urls': 'http://localhost:2380',
        'initial-cluster': '',
        'initial-cluster-state': 'new',
        'initial-cluster-token': 'etcd-cluster',
        'pre-vote': true,
        'strict-reconfig-check': true,
      },
    },
    {
      why: 'it tunes what works in another way here',
      flags: {
        'auto-compaction-mode': 'periodic',
        'auto-compaction-retention': '0',
        'backend-batch-interval': '',
        'backend-batch-limit': '0',
        'grpc-keepalive-interval': '2h0m0s',
        'grpc-keepalive-min-time': '5s',
        'grpc-keepalive-timeout': '20s',
        'max-concurrent-streams': '4294967295',
        'max-request-bytes': '1572864',
        'max-snapshots': '5',
        'max-txn-ops': '128',
        'max-wals': '5',
        'quota-backend-bytes': '0',
        'snapshot-count': '10000',
        'watch-progress-notify-interval': '10m0s',
        'experimental-watch-progress-notify-interval': '10m0s',
        'experimental-initial-corrupt-check': false,
      },
    },
    {
      why: 'the log has one form',
      flags: { 'log-format': 'json', 'log-level': 'info', 'log-outputs': 'default', logger: 'zap' },
    },
    { why: 'there are no metrics', flags: { 'enable-pprof': false, metrics: 'basic' } },
  ],
  refused: [
    {
      why: 'it listens without TLS',
      flags: {
        'auto-tls': false,
        'cert-file': '',
        'client-cert-auth': false,
        'client-crl-file': '',
        'key-file': '',
        'peer-auto-tls': false,
        'peer-cert-file': '',
        'peer-client-cert-auth': false,
        'peer-key-file': '',
        'peer-trusted-ca-file': '',
        'trusted-ca-file': '',
      },
    },
    {
      why: 'all there is to tell is told by flags, and lies in --data-dir',
      flags: { 'config-file': '', 'wal-dir': '', 'force-new-cluster': false, 'listen-metrics-urls': '' },
    },
    { why: 'there is one member, and it has no peers', flags: { discovery: '', 'discovery-srv': '' } },
  ],
};

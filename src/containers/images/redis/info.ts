import type { RedisServer } from './session.js';

const human = (bytes: number): string =>
  bytes < 1 << 20 ? `${(bytes / 1024).toFixed(2)}K` : `${(bytes / (1 << 20)).toFixed(2)}M`;

/** INFO's text: the sections that are asked for by name, or all. */
export function infoText(server: RedisServer, wanted: readonly string[], version: string): string {
  const uptime = Math.floor((server.process.container.clock.now() - server.startedAt) / 1000);
  const used = server.usedMemory();
  const sections: Readonly<Record<string, readonly string[]>> = {
    Server: [
      `redis_version:${version}`,
      'redis_mode:standalone',
      'os:Linux 6.1.0 x86_64',
      'arch_bits:64',
      `process_id:${server.process.pid}`,
      `run_id:${server.runId}`,
      `tcp_port:${server.port}`,
      `uptime_in_seconds:${uptime}`,
      `uptime_in_days:${Math.floor(uptime / 86_400)}`,
    ],
    Clients: [`connected_clients:${server.sessions.size}`, 'blocked_clients:0'],
    Memory: [
      `used_memory:${used}`,
      `used_memory_human:${human(used)}`,
      `maxmemory:${server.settings.get('maxmemory') ?? '0'}`,
      `maxmemory_policy:${server.settings.get('maxmemory-policy') ?? 'noeviction'}`,
    ],
    Persistence: ['loading:0', 'rdb_changes_since_last_save:0', 'rdb_last_bgsave_status:ok', 'aof_enabled:0'],
    Stats: [
      `total_connections_received:${server.counts.connections}`,
      `total_commands_processed:${server.counts.commands}`,
      `pubsub_channels:${server.channels.size}`,
    ],
    Replication: ['role:master', 'connected_slaves:0', 'master_repl_offset:0'],
    CPU: ['used_cpu_sys:0.000000', 'used_cpu_user:0.000000'],
    Cluster: ['cluster_enabled:0'],
    Keyspace: server.databases.flatMap((keys, i) =>
      keys.size === 0 ? [] : [`db${i}:keys=${keys.size},expires=0,avg_ttl=0`],
    ),
  };
  const names = wanted.map(name => name.toLowerCase());
  const all = names.length === 0 || names.some(name => ['all', 'default', 'everything'].includes(name));
  return Object.entries(sections)
    .filter(([name]) => all || names.includes(name.toLowerCase()))
    .map(([name, lines]) => `# ${name}\r\n${lines.map(line => `${line}\r\n`).join('')}`)
    .join('\r\n');
}

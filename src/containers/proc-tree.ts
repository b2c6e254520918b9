import type { Clock } from '../machinery/clock.js';
import type { Memory } from './machine/memory.js';
import type { ProcessEntry, ProcessTable } from './process-table.js';
import { createTree, type Tree, type VirtualNode } from './tree.js';

export interface ProcOptions {
  readonly processes: ProcessTable;
  readonly clock: Clock;
  readonly memory: Pick<Memory, 'used'>;
  readonly hostname: string;
  /** What is mounted: a line each, as /proc/mounts. */
  readonly mounts: () => readonly string[];
  /** CPU cores the node says it has. */
  readonly cores?: number;
  /** Bytes of memory the node says it has. */
  readonly memoryTotal?: number;
  readonly sysctls?: Readonly<Record<string, string>>;
}

const GIB = 1024 ** 3;
const KERNEL = 'Linux version 6.1.0-kubette (root@kubette) (gcc 12.2.0) #1 SMP PREEMPT_DYNAMIC';

const text = (content: string): VirtualNode => ({ kind: 'file', read: () => Buffer.from(content) });
const directory = (names: () => string[]): VirtualNode => ({ kind: 'directory', names });

export const commOf = ({ args }: ProcessEntry): string =>
  (args[0] ?? '').slice((args[0] ?? '').lastIndexOf('/') + 1, (args[0] ?? '').lastIndexOf('/') + 16);

/** /proc of a container: its own processes, and what the node says of itself. */
export function createProcTree(options: ProcOptions): Tree {
  const { processes, clock, memory, hostname, sysctls = {} } = options;
  const { cores = 4, memoryTotal = 8 * GIB } = options;
  const booted = clock.now();
  const uptime = (): number => Math.max(0, (clock.now() - booted) / 1000) + 1;
  const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} kB`;
  const global: Readonly<Record<string, () => string>> = {
    meminfo: () => {
      const free = Math.max(0, memoryTotal - memory.used - GIB);
      const rows: readonly (readonly [string, number])[] = [
        ['MemTotal', memoryTotal],
        ['MemFree', free],
        ['MemAvailable', free + GIB / 2],
        ['Buffers', GIB / 16],
        ['Cached', GIB / 2],
        ['SwapCached', 0],
        ['Active', GIB / 2],
        ['Inactive', GIB / 4],
        ['SwapTotal', 0],
        ['SwapFree', 0],
        ['Shmem', 0],
        ['Slab', GIB / 16],
        ['SReclaimable', GIB / 32],
      ];
      return rows.map(([name, bytes]) => `${`${name}:`.padEnd(15)} ${kilobytes(bytes).padStart(11)}\n`).join('');
    },
    cpuinfo: () =>
      Array.from(
        { length: cores },
        (_, i) =>
          `processor\t: ${i}\nvendor_id\t: Kubette\nmodel name\t: Simulated CPU\ncpu MHz\t\t: 2000.000\ncache size\t: 1024 KB\ncpu cores\t: ${cores}\nbogomips\t: 4000.00\n\n`,
      ).join(''),
    loadavg: () => `0.00 0.00 0.00 1/${processes.list().length} ${processes.last}\n`,
    uptime: () => `${uptime().toFixed(2)} ${(uptime() * cores).toFixed(2)}\n`,
    version: () => `${KERNEL}\n`,
    stat: () => {
      const line = (name: string): string => `${name} 100 0 100 ${Math.round(uptime() * 100)} 0 0 0 0 0 0\n`;
      const each = Array.from({ length: cores }, (_, i) => line(`cpu${i}`)).join('');
      return `${line('cpu ')}${each}intr 0\nctxt 0\nbtime ${Math.floor(booted / 1000)}\nprocesses ${processes.last}\nprocs_running 1\nprocs_blocked 0\n`;
    },
    filesystems: () => 'nodev\tproc\nnodev\ttmpfs\nnodev\toverlay\nnodev\tcgroup2\n',
    cmdline: () => 'BOOT_IMAGE=/kubette\n',
    partitions: () => 'major minor  #blocks  name\n\n',
    swaps: () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n',
    devices: () => 'Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n',
    modules: () => '',
  };
  const system = (inner: string): VirtualNode | undefined => {
    const values: Record<string, string> = {
      'kernel.hostname': hostname,
      'kernel.ostype': 'Linux',
      'kernel.osrelease': '6.1.0-kubette',
      'kernel.pid_max': '4194304',
      'kernel.random.boot_id': '00000000-0000-4000-8000-000000000000',
      'fs.file-max': '1048576',
      'net.core.somaxconn': '4096',
      'net.ipv4.ip_forward': '1',
      'vm.overcommit_memory': '1',
      'vm.max_map_count': '262144',
      ...sysctls,
    };
    const name = inner.slice('/sys/'.length).replaceAll('/', '.');
    if (inner === '/sys') return directory(() => childNames(Object.keys(values), ''));
    if (Object.hasOwn(values, name)) return text(`${values[name] ?? ''}\n`);
    const names = childNames(Object.keys(values), `${name}.`);
    return names.length === 0 ? undefined : directory(() => names);
  };
  const ofProcess = (entry: ProcessEntry, rest: readonly string[]): VirtualNode | undefined => {
    const [name, descriptor] = rest;
    if (name === undefined) return directory(() => [...PROCESS_FILES, 'fd', 'cwd', 'exe', 'root', 'task', 'ns']);
    if (name === 'fd' || name === 'fdinfo') {
      if (descriptor === undefined) return directory(() => [...entry.descriptors.keys()].map(String));
      const stream = entry.descriptors.get(Number(descriptor));
      if (stream === undefined || rest.length > 2) return undefined;
      const target = stream.description ?? 'pipe:[1]';
      if (name === 'fdinfo') return text('pos:\t0\nflags:\t0100002\nmnt_id:\t1\n');
      return {
        kind: 'descriptor',
        target,
        ...('read' in stream ? { input: stream } : {}),
        ...('write' in stream ? { output: stream } : {}),
      };
    }
    if (name === 'task') {
      if (descriptor === undefined) return directory(() => [String(entry.pid)]);
      return Number(descriptor) === entry.pid ? ofProcess(entry, rest.slice(2)) : undefined;
    }
    if (name === 'ns') {
      if (descriptor === undefined) return directory(() => [...NAMESPACES]);
      return NAMESPACES.includes(descriptor) ? { kind: 'descriptor', target: `${descriptor}:[4026531836]` } : undefined;
    }
    if (rest.length > 1) return undefined;
    if (name === 'cwd') return { kind: 'link', target: entry.cwd };
    if (name === 'root') return { kind: 'link', target: '/' };
    if (name === 'exe') return { kind: 'link', target: `/bin/${commOf(entry)}` };
    const write = PROCESS_FILES.includes(name) ? processFile(entry, name, options) : undefined;
    return write === undefined ? undefined : { kind: 'file', read: () => Buffer.from(write) };
  };
  return createTree(
    {},
    {
      virtual: {
        lookup(inner, viewer) {
          const parts = inner.split('/').slice(1);
          const [first = ''] = parts;
          if (first === '')
            return directory(() => [
              ...processes.list().map(({ pid }) => String(pid)),
              ...Object.keys(global),
              ...['self', 'thread-self', 'mounts', 'sys', 'net'],
            ]);
          if (first === 'self' || first === 'thread-self') {
            const link: VirtualNode = { kind: 'link', target: String(viewer?.pid ?? 1) };
            return parts.length === 1 ? link : undefined;
          }
          if (first === 'mounts') return parts.length === 1 ? { kind: 'link', target: 'self/mounts' } : undefined;
          if (first === 'sys') return system(inner);
          if (first === 'net') return parts.length === 1 ? directory(() => []) : undefined;
          if (/^[1-9]\d*$/.test(first)) {
            const entry = processes.get(Number(first));
            return entry === undefined ? undefined : ofProcess(entry, parts.slice(1));
          }
          const made = Object.hasOwn(global, first) && parts.length === 1 ? global[first] : undefined;
          return made === undefined ? undefined : { kind: 'file', read: () => Buffer.from(made()) };
        },
      },
    },
  );
}

const childNames = (keys: readonly string[], prefix: string): string[] => [
  ...new Set(keys.filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length).split('.')[0] ?? '')),
];

const NAMESPACES: readonly string[] = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
const PROCESS_FILES: readonly string[] = [
  'cmdline',
  'comm',
  'environ',
  'status',
  'stat',
  'statm',
  'limits',
  'cgroup',
  'mounts',
  'mountinfo',
  'maps',
  'oom_score',
  'oom_score_adj',
  'loginuid',
];

/** proc(5) */
function processFile(entry: ProcessEntry, name: string, { processes, mounts }: ProcOptions): string {
  const { pid, ppid, uid, gid, args, env, startedAt } = entry;
  const pages = Math.ceil(entry.memory() / 4096);
  const state = entry.stopped() ? 'T' : 'S';
  const parent = processes.get(ppid) === undefined ? 0 : ppid;
  switch (name) {
    case 'cmdline':
      return args.map(arg => `${arg}\0`).join('');
    case 'comm':
      return `${commOf(entry)}\n`;
    case 'environ':
      return Object.entries(env)
        .map(([key, value]) => `${key}=${value}\0`)
        .join('');
    case 'status': {
      const ids = (id: number): string => `${id}\t${id}\t${id}\t${id}`;
      const rows: readonly (readonly [string, string])[] = [
        ['Name', commOf(entry)],
        ['Umask', '0022'],
        ['State', state === 'T' ? 'T (stopped)' : 'S (sleeping)'],
        ['Tgid', String(pid)],
        ['Ngid', '0'],
        ['Pid', String(pid)],
        ['PPid', String(parent)],
        ['TracerPid', '0'],
        ['Uid', ids(uid)],
        ['Gid', ids(gid)],
        ['FDSize', '64'],
        ['Groups', String(gid)],
        ['VmSize', `${String(pages * 4 + 4096).padStart(8)} kB`],
        ['VmRSS', `${String(pages * 4).padStart(8)} kB`],
        ['Threads', '1'],
        ['NoNewPrivs', '0'],
        ['Seccomp', '0'],
        ['Cpus_allowed_list', '0-3'],
      ];
      return rows.map(([key, value]) => `${key}:\t${value}\n`).join('');
    }
    case 'stat': {
      const start = Math.max(0, Math.round(startedAt / 10) % 1_000_000_000);
      return `${pid} (${commOf(entry)}) ${state} ${parent} ${pid} ${pid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 ${start} ${pages * 4096 + 4194304} ${pages} 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
    }
    case 'statm':
      return `${pages + 1024} ${pages} ${Math.floor(pages / 2)} 200 0 ${pages} 0\n`;
    case 'limits':
      return 'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1048576              1048576              files     \nMax processes             unlimited            unlimited            processes \n';
    case 'cgroup':
      return '0::/\n';
    case 'mounts':
      return mounts()
        .map(line => `${line} 0 0\n`)
        .join('');
    case 'mountinfo':
      return mounts()
        .map((line, i) => {
          const [device = '', at = '', type = '', flags = ''] = line.split(' ');
          return `${i + 100} 99 0:${i + 30} / ${at} ${flags} - ${type} ${device} ${flags}\n`;
        })
        .join('');
    case 'loginuid':
      return '4294967295';
    case 'oom_score':
    case 'oom_score_adj':
      return '0\n';
    default:
      return '';
  }
}

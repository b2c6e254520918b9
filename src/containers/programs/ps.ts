import { commOf } from '../proc-tree.js';
import type { ProcessEntry, Program } from '../process.js';
import { accountNames } from './accounts.js';
import { parseOptions } from './options.js';

interface Column {
  readonly title: string;
  readonly width: number;
  readonly left?: boolean;
  readonly value: (entry: ProcessEntry) => string;
}

/** Processes show no time: what they use of the node's is not told apart. */
const TIME = '0:00';

/** ps [-o COLUMN,...] [-T]; the options of other ps (aux, -ef) show the same. */
export const ps: Program = async process => {
  const args = process.args.slice(1).filter(arg => !/^(?:-?[aAefuxlw]+)$/.test(arg));
  const { all } = parseOptions(args, { short: 'o:T' });
  const names = await accountNames(process);
  const { clock, processes } = process.container;
  const elapsed = (entry: ProcessEntry): string => {
    const seconds = Math.max(0, Math.floor((clock.now() - entry.startedAt) / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  };
  const command = ({ args: words }: ProcessEntry): string => words.join(' ');
  const columns: Readonly<Record<string, Column>> = {
    pid: { title: 'PID', width: 5, value: ({ pid }) => String(pid) },
    ppid: { title: 'PPID', width: 5, value: ({ ppid }) => String(ppid) },
    pgid: { title: 'PGID', width: 5, value: ({ pid }) => String(pid) },
    user: { title: 'USER', width: 8, left: true, value: ({ uid }) => names.user(uid) },
    group: { title: 'GROUP', width: 8, left: true, value: ({ gid }) => names.group(gid) },
    ruser: { title: 'RUSER', width: 8, left: true, value: ({ uid }) => names.user(uid) },
    comm: { title: 'COMMAND', width: 16, left: true, value: commOf },
    args: { title: 'COMMAND', width: 27, left: true, value: command },
    etime: { title: 'ELAPSED', width: 7, value: elapsed },
    time: { title: 'TIME', width: 6, left: true, value: () => TIME },
    tty: { title: 'TT', width: 6, left: true, value: entry => (entry.tty ? '136,0' : '?') },
    stat: { title: 'STAT', width: 4, left: true, value: entry => (entry.stopped() ? 'T' : 'S') },
    vsz: { title: 'VSZ', width: 5, value: entry => `${Math.round(entry.memory() / 1024) + 4096}` },
    rss: { title: 'RSS', width: 4, value: entry => `${Math.round(entry.memory() / 1024)}` },
    nice: { title: 'NI', width: 5, value: () => '0' },
  };
  const asked = all('o').flatMap(list => list.split(','));
  if (asked.length === 0) {
    await process.stdout.write('PID   USER     TIME  COMMAND\n');
    for (const entry of processes.list())
      await process.stdout.write(
        `${String(entry.pid).padStart(5)} ${names.user(entry.uid).slice(0, 8).padEnd(8)}  ${TIME} ${command(entry)}\n`,
      );
    return 0;
  }
  const chosen: Column[] = [];
  for (const text of asked) {
    const [name = '', title] = text.split('=');
    const column = columns[name];
    if (column === undefined) {
      await process.stderr.write(
        `ps: bad -o argument '${name}', supported arguments: ${Object.keys(columns).join(',')}\n`,
      );
      return 1;
    }
    chosen.push(title === undefined ? column : { ...column, title });
  }
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((cell, i) => {
        const { width = 0, left } = chosen[i] ?? {};
        if (left !== true) return cell.padStart(width);
        return i === cells.length - 1 ? cell : cell.slice(0, width).padEnd(width);
      })
      .join(' ')}\n`;
  if (chosen.some(column => column.title !== '')) {
    const head = chosen.map((column, i) =>
      i === chosen.length - 1 ? column.title : column.title.padEnd(column.width),
    );
    await process.stdout.write(`${head.join(' ')}\n`);
  }
  for (const entry of processes.list()) await process.stdout.write(line(chosen.map(column => column.value(entry))));
  return 0;
};

/** pwdx PID... */
export const pwdx: Program = async process => {
  let status = 0;
  for (const text of process.args.slice(1)) {
    const entry = process.container.processes.get(Number(text));
    if (entry !== undefined) await process.stdout.write(`${text}: ${entry.cwd}\n`);
    else {
      await process.stderr.write(`pwdx: can't read link '/proc/${text}/cwd': No such file or directory\n`);
      status = 1;
    }
  }
  return status;
};

/** pstree [-p]: one process a line, indented below who started it. */
export const pstree: Program = async process => {
  const { has } = parseOptions(process.args.slice(1), { short: 'p' });
  const entries = process.container.processes.list();
  const shown = new Set<number>();
  const show = async (entry: ProcessEntry, depth: number): Promise<void> => {
    if (shown.has(entry.pid) || depth > 200) return;
    shown.add(entry.pid);
    await process.stdout.write(`${'  '.repeat(depth)}${commOf(entry)}${has('p') ? `(${entry.pid})` : ''}\n`);
    for (const child of entries) if (child.ppid === entry.pid) await show(child, depth + 1);
  };
  for (const entry of entries) if (!entries.some(other => other.pid === entry.ppid)) await show(entry, 0);
  return 0;
};

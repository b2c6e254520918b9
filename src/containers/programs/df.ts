import { resolvePath } from '../file-system.js';
import { joinPath } from '../paths.js';
import { mountLines } from '../system-mounts.js';
import type { Process, Program } from '../process.js';
import { humanSize } from './counts.js';
import { parseOptions } from './options.js';

/** df [-PkmhTiB] [FILE...] */
export const df: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), {
    short: 'PkmhTaiB:t:',
    long: { human: 'h', 'human-readable': 'h' },
  });
  const { files } = process.container;
  const unit = has('m') ? 1024 ** 2 : 1024;
  const size = (bytes: number): string => (has('h') ? humanSize(bytes) : String(Math.ceil(bytes / unit)));
  const title = has('h') ? '      Size' : has('m') ? ' 1M-blocks' : has('P') ? '1024-blocks' : ' 1K-blocks';
  const rows = mountLines(files.mounts)
    .map(line => line.split(' '))
    .filter(([, at = '', type = '']) => !['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup2'].includes(type) && at !== '')
    .map(([device = '', at = '', type = '']) => ({
      device,
      at,
      type,
      tree: files.mounts.find(m => (m.path || '/') === at)?.tree,
    }));
  let chosen = rows;
  if (operands.length > 0) {
    chosen = [];
    for (const name of operands) {
      const path = resolvePath(process.cwd, name);
      if (files.kind(path) === undefined) {
        await process.stderr.write(`df: ${name}: can't find mount point\n`);
        return 1;
      }
      const real = files.realPath(path);
      const best = rows
        .filter(({ at }) => at === '/' || real === at || real.startsWith(`${at}/`))
        .sort((a, b) => b.at.length - a.at.length)[0];
      if (best !== undefined) chosen.push(best);
    }
  }
  const head = has('i')
    ? '    Inodes      Used Available Use%'
    : `${title}      Used Available ${has('P') ? 'Capacity' : 'Use%'}`;
  await process.stdout.write(`Filesystem         ${has('T') ? '  Type       ' : '  '}${head} Mounted on\n`);
  for (const { device, at, type, tree } of chosen) {
    const [total, used] = has('i')
      ? [100_000, tree?.entries ?? 0]
      : [tree?.capacity ?? 64 * 1024 ** 2, tree?.used ?? 0];
    const cells = has('i')
      ? [String(total), String(used), String(total - used)]
      : [size(total), size(used), size(total - used)];
    const percent = `${total === 0 ? 0 : Math.ceil((used / total) * 100)}%`;
    await process.stdout.write(
      `${device.padEnd(20)} ${has('T') ? type.padEnd(10) : ''}${cells.map(cell => cell.padStart(9)).join(' ')} ${percent.padStart(4)} ${at}\n`,
    );
  }
  return 0;
};

/** du [-ahkmsc] [-d DEPTH] [FILE...]: whole blocks, as they would be on a disk. */
export const du: Program = async process => {
  const { operands, has, get } = parseOptions(process.args.slice(1), {
    short: 'aHLdsxhmkcd:b',
    long: { summarize: 's', human: 'h', 'max-depth': 'd:' },
  });
  const depthLimit = has('s') ? 0 : Number(get('d') ?? Infinity);
  const show = (bytes: number): string =>
    has('h') ? humanSize(bytes) : String(Math.ceil(bytes / (has('m') ? 1024 ** 2 : 1024)));
  let status = 0;
  let total = 0;
  for (const name of operands.length === 0 ? ['.'] : operands) {
    const path = resolvePath(process.cwd, name);
    const { files } = process.container;
    if (files.kind(path) === undefined && !files.isLink(path)) {
      await process.stderr.write(`du: ${name}: No such file or directory\n`);
      status = 1;
      continue;
    }
    total += await usage(process, path, name, 0, async (bytes, shown, depth, directory) => {
      if (depth <= depthLimit && (directory || has('a') || depth === 0))
        await process.stdout.write(`${show(bytes)}\t${shown}\n`);
    });
  }
  if (has('c')) await process.stdout.write(`${show(total)}\ttotal\n`);
  return status;
};

const BLOCK = 4096;

async function usage(
  process: Process,
  path: string,
  shown: string,
  depth: number,
  tell: (bytes: number, shown: string, depth: number, directory: boolean) => Promise<void>,
): Promise<number> {
  const { files } = process.container;
  const wait = process.turn();
  if (wait !== undefined) await wait;
  const stat = await files.linkStat(path);
  if (stat === undefined) return 0;
  const directory = stat.kind === 'directory';
  let bytes = directory ? BLOCK : stat.kind === 'link' ? 0 : Math.ceil(stat.size / BLOCK) * BLOCK;
  if (directory && depth < 256 && files.allows(path, 'read'))
    for (const name of files.list(path))
      bytes += await usage(process, joinPath(path, name), `${shown.replace(/\/$/, '')}/${name}`, depth + 1, tell);
  await tell(bytes, shown, depth, directory);
  return bytes;
}

import type { Process } from '../process.js';

/** What /proc says of the machine. */
export async function machineSize(process: Process): Promise<{ cores: number; memory: ReadonlyMap<string, number> }> {
  const { files } = process.container;
  const text = async (path: string): Promise<string> =>
    files.kind(path) === undefined ? '' : (await files.read(path)).toString();
  const cores = (await text('/proc/cpuinfo')).split('\n').filter(line => line.startsWith('processor')).length;
  const memory = new Map<string, number>();
  for (const line of (await text('/proc/meminfo')).split('\n')) {
    const [name = '', value] = line.split(':');
    if (value !== undefined) memory.set(name, parseInt(value.trim(), 10));
  }
  return { cores: Math.max(1, cores), memory };
}

import type { Process } from '../../process.js';
import { runOther } from '../run-other.js';
import type { Test } from './found.js';

interface Batch {
  readonly command: readonly string[];
  paths: string[];
  size: number;
}

/** The commands of -exec: one for each file, or for as many as a command line holds. */
export class Commands {
  /** 1 when a command on many files failed. */
  status = 0;
  private readonly batches: Batch[] = [];

  constructor(private readonly process: Process) {}

  /** The words up to ";" or "+"; `next` takes them. */
  exec(next: () => string): Test {
    const command: string[] = [];
    let word = next();
    for (; word !== ';' && !(word === '+' && command.at(-1) === '{}'); word = next()) command.push(word);
    if (word === ';')
      return async ({ path }) =>
        (await runOther(
          this.process,
          command.map(part => part.replaceAll('{}', path)),
        )) === 0;
    const batch: Batch = { command: command.slice(0, -1), paths: [], size: 0 };
    this.batches.push(batch);
    return async ({ path }) => {
      batch.paths.push(path);
      batch.size += path.length + 1;
      if (batch.size > 65_536) await this.flush(batch);
      return true;
    };
  }

  async finish(): Promise<void> {
    for (const batch of this.batches) await this.flush(batch);
  }

  private async flush(batch: Batch): Promise<void> {
    if (batch.paths.length === 0) return;
    const { paths } = batch;
    batch.paths = [];
    batch.size = 0;
    if ((await runOther(this.process, [...batch.command, ...paths])) !== 0) this.status = 1;
  }
}

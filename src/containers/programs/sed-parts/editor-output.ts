import { resolvePath } from '../../file-system.js';
import type { Output } from '../../io.js';
import type { Process } from '../../process.js';
import { writerOf } from '../../spawn.js';
import { fromBytes, holdAll, TextOutput, toBytes } from '../lines.js';

/** Where an editor writes: its output, files of the command w, and what a and r keep for the end of the cycle. */
export class EditorOutput {
  private readonly out: TextOutput;
  private readonly files = new Map<string, Output>();
  private appended: { readonly text?: string; readonly file?: string }[] = [];

  constructor(
    private readonly process: Process,
    output: Output,
  ) {
    this.out = new TextOutput(output);
  }

  write(text: string): Promise<void> | void {
    return this.out.write(text);
  }
  async line(text: string, terminated = true): Promise<void> {
    await this.out.write(terminated ? `${text}\n` : text);
  }
  async flush(): Promise<void> {
    await this.out.flush();
  }

  append(what: { readonly text?: string; readonly file?: string }): void {
    this.appended.push(what);
  }
  async flushAppended(): Promise<void> {
    const waiting = this.appended;
    this.appended = [];
    for (const { text, file } of waiting) {
      if (text !== undefined) await this.out.write(text);
      if (file === undefined) continue;
      const path = resolvePath(this.process.cwd, file);
      if (file === '/dev/stdin') await this.out.write(fromBytes(await holdAll(this.process, this.process.stdin)));
      else if (this.process.container.files.kind(path) === 'file')
        await this.out.write(fromBytes(await this.process.container.files.read(path)));
    }
  }

  /** A line into a file, which is emptied when it is first written to. */
  async toFile(name: string, text: string): Promise<void> {
    let output = this.files.get(name);
    if (output === undefined) this.files.set(name, (output = await this.open(name)));
    await output.write(toBytes(`${text}\n`));
  }
  private async open(name: string): Promise<Output> {
    const { process } = this;
    if (name === '/dev/stdout') return process.stdout;
    return writerOf(await process.container.files.openWrite(resolvePath(process.cwd, name)), process.turn);
  }
}

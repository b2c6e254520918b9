import { spawn } from 'node:child_process';
import type { Clock } from '../../../machinery/clock.js';

/** What a program said, and how it ended. */
export interface CommandResult {
  /** Null: it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program, whose arguments no shell sees. Rejects when it cannot be started. */
export type RunCommand = (command: readonly string[], input?: string) => Promise<CommandResult>;

/** A program that waits for a lock is given up after this long. */
const TIMEOUT_MS = 60_000;
const MOST_ERROR_TEXT = 4096;
/** Rules of a large cluster, listed. */
const MOST_OUTPUT = 256 * 1024 * 1024;

export const createRunCommand =
  (clock: Clock): RunCommand =>
  ([program = '', ...args], input = '') =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { stdio: 'pipe' });
      const cancel = clock.after(TIMEOUT_MS, () => child.kill('SIGKILL'), { unref: true });
      const output: Buffer[] = [];
      let length = 0;
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= MOST_OUTPUT) output.push(chunk);
        else child.kill('SIGKILL');
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(0, MOST_ERROR_TEXT);
      });
      child.on('error', error => {
        cancel();
        reject(error);
      });
      child.on('close', code => {
        cancel();
        resolve({ code, stdout: Buffer.concat(output).toString('utf8'), stderr });
      });
      // One that ends before it has read everything says why by its code.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/root.js';

export interface Finished {
  /** Everything on stdout, TAP or not. */
  readonly output: string;
  readonly milliseconds: number;
  /** Of a processor, with what its processes took; 0 where it was killed. */
  readonly cpuMilliseconds: number;
  /** Why it does not pass, a line; undefined: it does. */
  readonly problem: string | undefined;
}

export interface Limits {
  /** What tap ends a file after, where the file says nothing else: seconds. */
  readonly timeoutSeconds: number;
  /** A file that prints nothing for so long is killed: its event loop does not turn, so that no timer of its own will end it. */
  readonly silenceMs: number;
  /** Aborted: the file is ended. */
  readonly signal: AbortSignal;
}

const PLAN = /^1\.\.(\d+)(?: # SKIP)?/m;
const RESULT = /^(not )?ok \d+([^\n]*)/gm;

/** What a finished file's output lacks: its own runner ends in good order, with a plan that holds and nothing failed. */
export function problemOf(output: string, exit: number | string): string | undefined {
  if (exit !== 0) return typeof exit === 'number' ? `exitCode: ${exit}` : `signal: ${exit}`;
  const plan = PLAN.exec(output);
  if (plan === null) return 'it ended without a plan';
  const results = [...output.matchAll(RESULT)];
  if (results.some(([, failed, rest = '']) => failed !== undefined && !/# TODO\b/.test(rest))) return 'a test failed';
  if (results.length !== Number(plan[1])) return `${results.length} results of a plan of ${plan[1]}`;
  if (results.length === 0 && !plan[0].endsWith('SKIP')) return 'it has no tests';
  return undefined;
}

const BEFORE = pathToFileURL(join(ROOT, 'build/test/run/in-test-file.js')).href;

/** Runs a test file as a process. Its stderr is ours. */
export function runTestFile(file: string, { timeoutSeconds, silenceMs, signal: aborted }: Limits): Promise<Finished> {
  return new Promise(resolve => {
    const began = process.hrtime.bigint();
    const child = spawn(process.execPath, ['--import', BEFORE, file], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      signal: aborted,
      env: { ...process.env, TAP_TIMEOUT: String(timeoutSeconds) },
    });
    let output = '';
    let cpu = '';
    let failure: string | undefined;
    const silence = setTimeout(() => {
      failure = `it printed nothing for ${silenceMs} ms`;
      child.kill('SIGKILL');
    }, silenceMs);
    const [, stdout, , taken] = child.stdio as unknown as [null, Readable, null, Readable];
    stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      silence.refresh();
    });
    taken.setEncoding('utf8').on('data', (text: string) => (cpu += text));
    child.on('error', error => (failure = error.message));
    child.on('close', (code, signal) => {
      clearTimeout(silence);
      const milliseconds = Number(process.hrtime.bigint() - began) / 1e6;
      const problem = failure ?? problemOf(output, code ?? String(signal));
      resolve({ output, milliseconds, cpuMilliseconds: Number(cpu), problem });
    });
  });
}

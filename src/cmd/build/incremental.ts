import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../machinery/clock.js';
import { createFileHashes, type FileHashes, type SeenFile } from './file-hashes.js';

export interface BuildStep {
  readonly name: string;
  /** What it does, for whoever waits. */
  readonly title: string;
  /** The files, relative to the root, that decide what it makes; those that are not there count too. */
  inputs(): readonly string[];
  /** What it makes; all of it is there when it has run. */
  outputs(): readonly string[];
  run(): Promise<void>;
}

export interface BuildOptions {
  readonly root: string;
  /** Where it is remembered what was done, beside what was made. */
  readonly stateFile: string;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  write(text: string): unknown;
}

/** A step is done while its inputs and outputs contain what they did when it had run. */
interface Done {
  readonly inputs: string;
  readonly outputs: string;
}

interface State {
  readonly done: Record<string, Done>;
  readonly files: Readonly<Record<string, SeenFile>>;
}

/**
 * Runs the steps that have something to do, in order. A step that fails, or is interrupted, is not done; nor is one whose
 * inputs were changed while it ran.
 * @throws what a step throws
 */
export async function runSteps(steps: readonly BuildStep[], options: BuildOptions): Promise<void> {
  const { root, stateFile, clock } = options;
  const { done, files: known } = readState(stateFile);
  // Of this time only: what is bundled has other names each time.
  let files: State['files'] = {};
  const look = (): FileHashes => createFileHashes(root, { ...known, ...files }, () => clock.now());
  const remember = (hashes: FileHashes): void => {
    files = { ...files, ...hashes.seen() };
    writeState(stateFile, { done, files });
  };
  const first = look();
  // All at once, before the first runs: later ones read what earlier ones made of these.
  const wanted = steps.map(step => first.keyOf(step.inputs()));
  for (const [i, step] of steps.entries()) {
    const inputs = wanted[i] ?? '';
    const before = done[step.name];
    if (before?.inputs === inputs && before.outputs === first.keyOf(step.outputs())) continue;
    delete done[step.name];
    remember(first);
    await timed(step, options);
    const after = look();
    if (after.keyOf(step.inputs()) !== inputs)
      throw new Error(`sources changed while "${step.title}" ran: build again`);
    done[step.name] = { inputs, outputs: after.keyOf(step.outputs()) };
    remember(after);
  }
  const seen = { ...files, ...first.seen() };
  if (Object.keys(seen).some(file => seen[file]?.look !== known[file]?.look)) remember(first);
}

async function timed(step: BuildStep, options: BuildOptions): Promise<void> {
  const { clock } = options;
  const began = clock.monotonic();
  options.write(`${step.title} …`);
  try {
    await step.run();
  } catch (error) {
    options.write(' failed\n');
    throw error;
  }
  options.write(` ${((clock.monotonic() - began) / 1_000).toFixed(1)} s\n`);
}

function readState(file: string): State {
  try {
    const { done, files } = JSON.parse(readFileSync(file, 'utf8')) as Partial<State>;
    return { done: done ?? {}, files: files ?? {} };
  } catch (error) {
    // Without it everything is built.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError)
      return { done: {}, files: {} };
    throw error;
  }
}

function writeState(file: string, state: State): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, JSON.stringify(state));
  renameSync(`${file}.tmp`, file);
}

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from '../cluster/process-alive.js';

/** Files of a test run, which are gone when it is. */
export interface TemporaryFolder {
  /** Writes a file that only its owner may read, and gives its path. */
  write(name: string, text: string): string;
  /** Removes all of it. */
  remove(): void;
}

const PREFIX = 'kubette-test-';
/** What ends a process that does not listen for it, without an 'exit'. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A process ends once, whoever has made folders in it: one listener removes them all. */
const ofThisProcess = new Set<string>();

/** Makes a folder when the first file is written. What processes have left that were killed is removed with it. */
export function createTemporaryFolder(): TemporaryFolder {
  let path: string | undefined;
  return {
    write(name, text) {
      path ??= makeFolder();
      const file = join(path, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    },
    remove() {
      if (path === undefined) return;
      removeFolder(path);
      ofThisProcess.delete(path);
      if (ofThisProcess.size === 0) stopListening();
      path = undefined;
    },
  };
}

function makeFolder(): string {
  removeLeftBehind();
  const path = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  if (ofThisProcess.size === 0) listen();
  ofThisProcess.add(path);
  return path;
}

const removeFolder = (path: string): void => rmSync(path, { recursive: true, force: true });

function removeAll(): void {
  for (const path of ofThisProcess) removeFolder(path);
  ofThisProcess.clear();
}

/** Ends the process as it would have ended without this listener, unless others have theirs. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  stopListening();
  process.kill(process.pid, signal);
}

function listen(): void {
  process.on('exit', removeAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function stopListening(): void {
  process.off('exit', removeAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/** Of processes that were killed, and could not. */
function removeLeftBehind(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !isProcessAlive(Number(pid))) removeUnlessForeign(join(tmpdir(), name));
  }
}

/** Somebody else's is theirs to remove. */
function removeUnlessForeign(path: string): void {
  try {
    removeFolder(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'EPERM', 'ENOENT', 'ENOTEMPTY'].includes(code)) throw error;
  }
}

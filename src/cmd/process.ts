import { setMaxListeners } from 'node:events';
import { parseDuration } from '../machinery/duration.js';

/** What a command line says wrong. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** Several things that are wrong, a line each. */
export class Problems extends Error {
  override readonly name: string = 'Problems';
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

/** "etcd-servers" of "etcdServers", as commander calls the value of that flag. */
export const flagOf = (attribute: string): string => attribute.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);

/** What is wrong with the value of a flag, in pflag's words. */
export const invalidArgument = (name: string, value: string, why: string): FlagError =>
  new FlagError(`invalid argument ${JSON.stringify(value)} for "--${name}" flag: ${why}`);

/**
 * Aborts at the first SIGINT or SIGTERM, or when the process that started this one with an IPC channel is gone. A
 * second signal ends the process at once.
 */
export function signalOnTermination(): AbortSignal {
  const controller = new AbortController();
  // Every request and sleep of the process listens to it, or to a signal made from it: many listeners are no leak.
  setMaxListeners(0);
  setMaxListeners(0, controller.signal);
  process.once('disconnect', () => controller.abort(new Error('the parent process is gone')));
  // The listener would keep a process that has stopped alive for as long as its parent waits for it.
  process.channel?.unref();
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error(`received ${signal}`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Prints what is wrong, on one line unless it is several things, and ends the process with 1. */
export function fail(component: string, error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  const lines = error instanceof Problems ? error.lines : [text.split('\n')[0] ?? ''];
  process.stderr.write(lines.map(line => `kubette ${component}: ${line}\n`).join(''));
  process.exit(1);
}

/** Milliseconds of a Go duration such as "10s". @throws FlagError */
export function durationFlag(name: string, value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined) throw invalidArgument(name, value, 'want a duration such as 10s');
  return ms;
}

/** A whole number within bounds. @throws FlagError */
export function integerFlag(name: string, value: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^-?\d+$/.test(value) || number < min || number > max)
    throw invalidArgument(name, value, `want a whole number from ${min} to ${max}`);
  return number;
}

/** Where a command for people looks for the cluster: the flag, $KUBECONFIG, then what `up` writes. */
export const kubeconfigFile = (flag: string | boolean | undefined): string =>
  typeof flag === 'string' ? flag : process.env['KUBECONFIG'] || '.kubette/kubeconfig';

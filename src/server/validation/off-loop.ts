import { withBareEntries } from '../../machinery/managed-fields/bare-entries.js';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../machinery/clock.js';
import { StatusError, timeoutError, type Status } from '../../machinery/status.js';
import type { Turns } from '../../machinery/turns.js';
import { namespaceOf, validateHere, validateInSteps, type Validator } from './validator.js';
import type { Question, Reply } from './validation-worker.js';
import { isHeavy } from './weight.js';

export interface OffLoopOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  /** Ends the thread. */
  readonly signal: AbortSignal;
}

/** A thread that nobody asks costs memory. */
const IDLE_MS = 30_000;
/** The biggest body takes under a second: what takes this long would hold up all others. */
const LIMIT_MS = 20_000;
const MAX_HEAP_MB = 1024;

/**
 * Validates big objects in a thread of their own, so that validators are plain functions whatever a client sends, and
 * everybody else is served meanwhile. The thread is started by the first of them, takes one at a time, and is ended
 * when nobody has asked for a while. Small objects are validated at once.
 */
export function createOffLoopValidator({ clock, turns, signal }: OffLoopOptions): Validator {
  let asked: Promise<unknown> = Promise.resolve();
  let worker: Worker | undefined;
  let stopIdling = (): void => undefined;

  const end = (): void => {
    void worker?.terminate();
    worker = undefined;
  };
  signal.addEventListener('abort', end, { once: true });

  const start = async (): Promise<Worker> => {
    const { WORKER_URL, WORKER_DATA } = await import('./validation-worker.js');
    const started = new Worker(WORKER_URL, {
      workerData: WORKER_DATA,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    started.unref();
    if (signal.aborted) void started.terminate();
    return started;
  };

  const ask = async (question: Question): Promise<Reply> => {
    stopIdling();
    const thread = (worker ??= await start());
    try {
      return await replyOf(thread, question, clock);
    } catch (error) {
      end();
      throw error;
    } finally {
      stopIdling = clock.after(IDLE_MS, end, { unref: true });
    }
  };

  /** Text of a big object takes a while to make: others have their turn before it. */
  const text = async (object: unknown): Promise<string> => {
    if (turns.isOver()) await turns.next();
    return JSON.stringify(object);
  };

  return (entry, ctx, write) => {
    const { info } = entry;
    const { object, old, subresource, partly } = write;
    // What a schema says is not known to the thread; it is found out in steps.
    if (entry.schema.validate !== undefined) return validateInSteps(entry, ctx, write, turns);
    const { nodes, characters, texts } = entry.strategy.heavy ?? {};
    if (![object, old].some(one => isHeavy(one, nodes, characters, texts))) return validateHere(entry, ctx, write);
    const { group, version, plural } = info;
    return (async () => {
      const namespace = namespaceOf(ctx, object);
      const question: Question = {
        group,
        version,
        plural,
        subresource,
        partly,
        object: await text(withBareEntries(object)),
        old: old === undefined ? undefined : await text(withBareEntries(old)),
        namespace: namespace === undefined ? undefined : await text(namespace),
      };
      const turn = asked.then(() => (ctx.signal.throwIfAborted(), ask(question)));
      asked = turn.catch(() => undefined);
      return warningsOf(await turn);
    })();
  };
}

/** @throws StatusError 504 when it takes too long, and whatever ended the thread. */
function replyOf(thread: Worker, question: Question, clock: Clock): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(LIMIT_MS, () => settle(() => reject(timeoutError('the object is too big to validate'))));
    const settle = (result: () => void): void => {
      cancel();
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      result();
    };
    const onMessage = (reply: Reply): void => settle(() => resolve(reply));
    const onError = (error: Error): void => settle(() => reject(error));
    const onExit = (): void => settle(() => reject(new Error('the validation thread has ended')));
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    thread.postMessage(question);
  });
}

function warningsOf(reply: Reply): string[] {
  if ('warnings' in reply) return reply.warnings;
  if ('failure' in reply) throw new Error(reply.failure);
  const { code, reason, message = '', details, metadata } = JSON.parse(reply.status) as Status & { code: number };
  throw new StatusError(code, reason, message, details, metadata);
}

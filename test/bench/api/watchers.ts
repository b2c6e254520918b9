import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Endpoint } from './endpoint.js';

export interface Counted {
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
  /** When the last of them came. */
  readonly lastUs: number;
}

export interface Report extends Counted {
  /** Of the time from a write's sending until a watcher had it, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Watches that the server has ended. */
  readonly lost: number;
  readonly driver: number;
}

export type ToWatchers =
  | { readonly open: Endpoint; readonly count: number; readonly path: string }
  | { readonly ask: 'report' | 'count' | 'reset' };

export type FromWatchers =
  | { readonly opened: number }
  | { readonly synced: number; readonly driver: number }
  | { readonly report: Report }
  | { readonly counted: Counted };

/** Many watchers of one path, in a process of their own. */
export class Watchers {
  private constructor(private readonly child: ChildProcess) {}

  static start(): Watchers {
    return new Watchers(fork(join(import.meta.dirname, 'watchers-process.js')));
  }

  /** Resolves when each has the head of its answer. */
  async open(to: Endpoint, count: number, path: string): Promise<void> {
    await this.ask({ open: to, count, path }, 'opened');
  }

  /** The same for informers: resolves with what it took until the last has all there is. */
  synced(to: Endpoint, count: number, path: string): Promise<{ synced: number; driver: number }> {
    return this.ask({ open: to, count, path }, 'synced');
  }

  async count(): Promise<Counted> {
    return (await this.ask({ ask: 'count' }, 'counted')).counted;
  }

  /** From here on it counts anew. */
  async reset(): Promise<void> {
    await this.ask({ ask: 'reset' }, 'counted');
  }

  async report(): Promise<Report> {
    return (await this.ask({ ask: 'report' }, 'report')).report;
  }

  stop(): Promise<void> {
    return new Promise(resolve => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return resolve();
      this.child.once('exit', () => resolve());
      this.child.kill('SIGKILL');
    });
  }

  /** Sends, and waits for the message that has this member. */
  private ask<K extends string>(message: ToWatchers, member: K): Promise<Extract<FromWatchers, Record<K, unknown>>> {
    return new Promise((resolve, reject) => {
      const heard = (said: FromWatchers): void => {
        if (!(member in said)) return;
        done();
        resolve(said as Extract<FromWatchers, Record<K, unknown>>);
      };
      const gone = (code: number | null): void => {
        done();
        reject(new Error(`the watchers' process ended with ${String(code)}`));
      };
      const done = (): void => {
        this.child.off('message', heard);
        this.child.off('exit', gone);
      };
      this.child.on('message', heard);
      this.child.on('exit', gone);
      this.child.send(message);
    });
  }
}

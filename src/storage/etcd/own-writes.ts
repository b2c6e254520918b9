import type { KeyValue, Op } from '../kv-store.js';

interface OwnWrite {
  readonly value: Uint8Array;
  readonly decoded: unknown;
  /** undefined: not answered yet. */
  revision: number | undefined;
}

/** One commit of this process. */
export interface OwnCommit {
  /** undefined: it was refused, or nobody knows. */
  answered(revision: number | undefined): void;
}

/** What this process has written and not been told of yet: an event may come before the answer to the write that made it. */
export class OwnWrites {
  private readonly writes = new Map<string, OwnWrite[]>();

  begin(ops: readonly Op[]): OwnCommit {
    const begun: [string, OwnWrite][] = [];
    for (const op of ops) {
      if (op.type !== 'put' || op.decoded === undefined) continue;
      const write: OwnWrite = { value: op.value, decoded: op.decoded, revision: undefined };
      begun.push([op.key, write]);
      const known = this.writes.get(op.key);
      if (known === undefined) this.writes.set(op.key, [write]);
      else known.push(write);
    }
    return {
      answered: revision => {
        for (const [key, write] of begun) {
          if (revision === undefined) this.forget(key, write);
          else write.revision = revision;
        }
      },
    };
  }

  /** `decoded` of the own write that a stored value comes from. Unless it was answered, it is known by its bytes. */
  take({ key, value, modRevision }: KeyValue): unknown {
    const known = this.writes.get(key);
    if (known === undefined) return undefined;
    const write =
      known.find(one => one.revision === modRevision) ??
      known.find(one => one.revision === undefined && Buffer.compare(one.value, value) === 0);
    for (const one of known) if (one === write || (one.revision ?? Infinity) <= modRevision) this.forget(key, one);
    return write?.decoded;
  }

  /** Nobody will tell of what was written. */
  clear(): void {
    this.writes.clear();
  }

  private forget(key: string, write: OwnWrite): void {
    const left = this.writes.get(key)?.filter(one => one !== write) ?? [];
    if (left.length === 0) this.writes.delete(key);
    else this.writes.set(key, left);
  }
}

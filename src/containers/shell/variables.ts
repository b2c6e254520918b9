import type { Account } from '../machine/memory.js';

/** What a name and its place in the table weigh. */
const OVERHEAD = 64;
const weight = (name: string, value: string): number => name.length + value.length + OVERHEAD;

/** A shell's variables, which count as its process's memory. */
export class Variables extends Map<string, string> {
  private held = 0;

  constructor(
    entries: Iterable<readonly [string, string]>,
    private readonly account: Account,
  ) {
    super();
    for (const [name, value] of entries) this.set(name, value);
  }
  override set(name: string, value: string): this {
    const old = this.get(name);
    const change = weight(name, value) - (old === undefined ? 0 : weight(name, old));
    this.account.add(change);
    this.held += change;
    return super.set(name, value);
  }
  override delete(name: string): boolean {
    const old = this.get(name);
    if (old === undefined) return false;
    this.account.remove(weight(name, old));
    this.held -= weight(name, old);
    return super.delete(name);
  }
  /** Gives back what they hold: a subshell in the same process has ended. */
  release(): void {
    this.account.remove(this.held);
    this.held = 0;
  }
}

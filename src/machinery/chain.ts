/** What may be in a chain, in one at a time. Only chains write it. */
export interface Linked<T extends Linked<T>> {
  links: Links<T> | undefined;
}

interface Links<T extends Linked<T>> {
  readonly chain: Chain<T>;
  before: T | undefined;
  after: T | undefined;
}

/**
 * Things in the order in which they came, of which any may leave: for what comes and goes with every request. A Set does the
 * same, but leaves a table behind whenever it makes a new one, which points to the next one and to all that was in it. One of
 * them that has grown old keeps all later ones, and with them every request there was, until the next full collection.
 */
export class Chain<T extends Linked<T>> implements Iterable<T> {
  size = 0;
  first: T | undefined;
  private last: T | undefined;

  has(item: T): boolean {
    return item.links?.chain === this;
  }

  /** Behind all others. @throws Error when it is in a chain */
  add(item: T): void {
    if (item.links !== undefined) throw new Error('what is in a chain is added to one');
    const { last } = this;
    item.links = { chain: this, before: last, after: undefined };
    if (last?.links === undefined) this.first = item;
    else last.links.after = item;
    this.last = item;
    this.size++;
  }

  /** Whether it was there. */
  delete(item: T): boolean {
    const { links } = item;
    if (links?.chain !== this) return false;
    const { before, after } = links;
    if (before?.links === undefined) this.first = after;
    else before.links.after = after;
    if (after?.links === undefined) this.last = before;
    else after.links.before = before;
    // Old links would keep their neighbours as an old table does.
    links.before = links.after = item.links = undefined;
    this.size--;
    return true;
  }

  /** What is deleted meanwhile ends it there. */
  *[Symbol.iterator](): Generator<T> {
    for (let item = this.first; item !== undefined; item = item.links?.after) yield item;
  }
}

import { YamlSyntaxError, type Mark, type YamlReader } from './yaml-reader.js';

/** Where "key:" may turn out to have begun. */
export interface SimpleKey {
  readonly mark: Mark;
  /** In block context at the indentation: something there must be a key. */
  readonly required: boolean;
  /** Which token it would be put before. */
  readonly token: number;
}

const MAX_KEY_LENGTH = 1024;

/** The tokens that a ":" would make keys of: one of the block context, and one of every flow collection that is open. */
export class SimpleKeys {
  private readonly keys: (SimpleKey | undefined)[] = [undefined];
  /** The level at which a token may be a key: flow collections nest by thousands. */
  private readonly levels = new Map<number, number>();

  constructor(private readonly reader: YamlReader) {}

  /** How many flow collections are open. */
  get flow(): number {
    return this.keys.length - 1;
  }

  openFlow(): void {
    this.keys.push(undefined);
  }

  closeFlow(): void {
    if (this.flow > 0) this.keys.pop();
  }

  /** A key may begin here, with this token. @throws YamlSyntaxError */
  save(token: number, required: boolean): void {
    this.drop();
    this.keys[this.flow] = { mark: this.reader.mark, required, token };
    this.levels.set(token, this.flow);
  }

  /** What might have been a key is none. @throws YamlSyntaxError */
  drop(level = this.flow): void {
    const key = this.keys[level];
    if (key?.required === true)
      throw new YamlSyntaxError('scanner', "could not find expected ':'", this.reader.mark, key.mark);
    this.keys[level] = undefined;
  }

  /** The key that ends here; undefined: there is none. @throws YamlSyntaxError */
  take(): SimpleKey | undefined {
    const key = this.stillPossible(this.flow) ? this.keys[this.flow] : undefined;
    this.keys[this.flow] = undefined;
    return key;
  }

  /** Whether a ":" that is still to come may make a key of this token. @throws YamlSyntaxError */
  mayBe(token: number): boolean {
    const level = this.levels.get(token);
    return level !== undefined && this.keys[level]?.token === token && this.stillPossible(level);
  }

  /** Nobody asks about this token any more. */
  forget(token: number): void {
    this.levels.delete(token);
  }

  /** A simple key ends on its line and within 1024 characters. */
  private stillPossible(level: number): boolean {
    const key = this.keys[level];
    if (key === undefined) return false;
    const { mark } = this.reader;
    if (key.mark.line === mark.line && key.mark.index + MAX_KEY_LENGTH >= mark.index) return true;
    this.drop(level);
    return false;
  }
}

import { match, same } from 'tcompare';

/*
 * What tests import as `tap` in a process that runs them again and again: the same comparisons (tcompare's), but nothing
 * is printed, and the first that fails ends its test. Only what the data plane's tests use is here.
 */
export type Body = (t: Assertions) => unknown;

interface Options {
  readonly skip?: boolean | string;
}

export class Failed extends Error {}

class Assertions {
  readonly #teardowns: (() => unknown)[] = [];
  #last: Promise<void> = Promise.resolve();
  #end: () => void = () => undefined;
  readonly #ended = new Promise<void>(resolve => (this.#end = resolve));
  /** The first failure, also where the program under test has caught it. */
  failed: Failed | undefined;

  readonly #check = (passes: boolean, message: string | undefined): boolean => {
    if (passes) return true;
    this.failed ??= new Failed(message ?? 'an assertion fails');
    throw this.failed;
  };

  readonly ok = (found: unknown, message?: string): boolean => this.#check(Boolean(found), message);
  readonly notOk = (found: unknown, message?: string): boolean => this.#check(!found, message);
  readonly pass = (): boolean => true;
  readonly fail = (message?: string): boolean => this.#check(false, message);
  readonly equal = (found: unknown, wanted: unknown, message?: string): boolean =>
    this.#check(found === wanted, message);
  readonly not = (found: unknown, wanted: unknown, message?: string): boolean => this.#check(found !== wanted, message);
  readonly same = (found: unknown, wanted: unknown, message?: string): boolean =>
    this.#check(same(found, wanted).match, message);
  readonly match = (found: unknown, wanted: unknown, message?: string): boolean =>
    this.#check(match(found, wanted).match, message);
  readonly notMatch = (found: unknown, wanted: unknown, message?: string): boolean =>
    this.#check(!match(found, wanted).match, message);

  readonly type = (found: unknown, wanted: string | (abstract new () => unknown), message?: string): boolean =>
    this.#check(typeof wanted === 'string' ? typeof found === wanted : found instanceof wanted, message);

  readonly throws = (run: () => unknown, wanted?: unknown, message?: string): boolean => {
    try {
      run();
    } catch (error) {
      if (error instanceof Failed) throw error;
      if (wanted === undefined || typeof wanted === 'string') return true;
      return this.match(wanted instanceof RegExp ? (error as Error).message : error, wanted, message);
    }
    return this.#check(false, message);
  };

  readonly doesNotThrow = (run: () => unknown, message?: string): boolean => {
    try {
      run();
    } catch {
      return this.#check(false, message);
    }
    return true;
  };

  readonly rejects = async (run: Promise<unknown> | (() => Promise<unknown>), wanted?: unknown): Promise<boolean> => {
    const outcome = await (typeof run === 'function' ? run() : run).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (outcome === undefined) return this.#check(false, 'it is not rejected');
    const { error } = outcome;
    return this.throws(() => {
      throw error;
    }, wanted);
  };

  readonly comment = (): void => undefined;
  readonly setTimeout = (): void => undefined;
  readonly end = (): void => this.#end();
  readonly teardown = (run: () => unknown): void => void this.#teardowns.push(run);

  readonly test = (_name: string, ...rest: readonly [Body] | readonly [Options, Body]): Promise<void> => {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    if (options.skip !== undefined && options.skip !== false) return Promise.resolve();
    this.#last = this.#last
      .then(() => runBody(body))
      .catch((error: unknown) => {
        this.failed ??= error instanceof Failed ? error : new Failed(String(error));
      });
    return this.#last;
  };

  /** Ends with the body, its subtests, and what it wants to be done at the end. */
  async run(body: Body): Promise<void> {
    try {
      const made = body(this);
      await (made instanceof Promise ? made : this.#ended);
      await this.#last;
    } finally {
      for (const teardown of this.#teardowns.reverse()) await teardown();
    }
    if (this.failed !== undefined) throw this.failed;
  }
}

export const runBody = (body: Body): Promise<void> => new Assertions().run(body);

/** What a test file asks for while it is loaded. */
export const collected: { readonly name: string; readonly body: Body }[] = [];

export const root = {
  test(name: string, ...rest: readonly [Body] | readonly [Options, Body]): void {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    if (options.skip === undefined || options.skip === false) collected.push({ name, body });
  },
  setTimeout: (): void => undefined,
  comment: (): void => undefined,
};

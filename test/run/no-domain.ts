/**
 * In joined tests, what tap takes for `async-hook-domain`: which follows every promise and callback to the test that it was made
 * in, by hooks that took a quarter of the time of a test with a cluster. Here nobody is followed: see blame.ts.
 */
export class Domain {
  readonly onerror: (error: unknown, type: string) => void;

  constructor(onerror: (error: unknown, type: string) => void) {
    this.onerror = onerror;
  }

  destroy(): void {}
}

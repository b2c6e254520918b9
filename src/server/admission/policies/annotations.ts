/** Source: apiserver plugin/policy/validating/dispatcher.go. */
const MAX_BYTES = 10 * 1024;

/** Annotations of one policy for a request's audit event. */
export interface Annotations {
  add(key: string, value: string): void;
  /** Values of several parameters are told together. */
  tell(annotate: (key: string, value: string) => void): void;
}

const cut = (value: string): string =>
  Buffer.byteLength(value) > MAX_BYTES ? Buffer.from(value).subarray(0, MAX_BYTES).toString() : value;

export function createAnnotations(): Annotations {
  const values = new Map<string, Set<string>>();
  return {
    add(key, value) {
      const known = values.get(key);
      if (known === undefined) values.set(key, new Set([cut(value)]));
      else known.add(cut(value));
    },
    tell(annotate) {
      for (const [key, all] of values) annotate(key, [...all].join(', '));
    },
  };
}

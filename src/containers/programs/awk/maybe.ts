export type Maybe<T> = T | Promise<T>;

/** Goes on with a value, at once where it is there. */
export const then = <T, R>(value: Maybe<T>, next: (value: T) => Maybe<R>): Maybe<R> =>
  value instanceof Promise ? value.then(next) : next(value);

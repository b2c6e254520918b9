/** A program called with an option it does not have. The program prints it and exits. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface OptionSpec {
  /** Short options: letters, each followed by ":" when it takes a value, as getopt(3). */
  readonly short: string;
  /** Long option to the short one it means, or to its own name; a trailing ":" takes a value. */
  readonly long?: Readonly<Record<string, string>>;
  /** Stop at the first operand (env, timeout). */
  readonly stopAtOperand?: boolean;
}

export interface Options {
  readonly has: (name: string) => boolean;
  /** The last value. */
  readonly get: (name: string) => string | undefined;
  readonly all: (name: string) => readonly string[];
  readonly operands: readonly string[];
}

/** Parses arguments (without the program's name). @throws UsageError */
export function parseOptions(args: readonly string[], spec: OptionSpec): Options {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  const put = (name: string, value: string): void => {
    values.set(name, [...(values.get(name) ?? []), value]);
  };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      operands.push(...rest);
      break;
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      const meaning = spec.long?.[name];
      if (meaning === undefined) throw new UsageError(`unrecognized option: ${name}`);
      if (!meaning.endsWith(':')) put(meaning, '');
      else {
        const value = equals < 0 ? rest.shift() : arg.slice(equals + 1);
        if (value === undefined) throw new UsageError(`option requires an argument: ${name}`);
        put(meaning.slice(0, -1), value);
      }
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let i = 1; i < arg.length; i++) {
        const letter = arg[i] ?? '';
        const at = spec.short.indexOf(letter);
        if (at < 0 || letter === ':') throw new UsageError(`unrecognized option: ${letter}`);
        if (spec.short[at + 1] !== ':') {
          put(letter, '');
          continue;
        }
        const value = i + 1 < arg.length ? arg.slice(i + 1) : rest.shift();
        if (value === undefined) throw new UsageError(`option requires an argument: ${letter}`);
        put(letter, value);
        break;
      }
    } else {
      operands.push(arg);
      if (spec.stopAtOperand === true) {
        operands.push(...rest);
        break;
      }
    }
  }
  return {
    has: name => values.has(name),
    get: name => values.get(name)?.at(-1),
    all: name => values.get(name) ?? [],
    operands,
  };
}

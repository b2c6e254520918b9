import { parseDuration } from '../../machinery/duration.js';
import { parseQuantity, QuantityError, scaledValue } from '../../machinery/quantity.js';

/** One kind of value, as annotations have it: a text. */
export interface Kind<T> {
  /** What may stand there, in words: "a whole number from 0 to 255". */
  readonly allowed: string;
  /** The JSON schema of the same in a file. */
  readonly schema: object;
  /** What joins the items of a list in a file to the text of an annotation; absent: it may be no list. */
  readonly joined?: string;
  /** Undefined: the text is no such value. */
  readonly read: (text: string) => T | undefined;
}

/** setTimeout counts no further. */
const MAX_MS = 2 ** 31 - 1;
const MAX_TEXT = 64 * 1024;
const MAX_PORTS = 100;

/** Milliseconds. */
export const duration = (leastMs = 0): Kind<number> => ({
  allowed: `a duration as "500ms", "30s" or "1h30m"${leastMs === 0 ? '' : `, at least ${leastMs}ms`}`,
  schema: { type: 'string', pattern: String.raw`^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$` },
  read(text) {
    const ms = parseDuration(text.trim());
    return ms === undefined || ms < leastMs || ms > MAX_MS ? undefined : ms;
  },
});

export const whole = (least: number, most: number): Kind<number> => ({
  allowed: `a whole number from ${least} to ${most}`,
  schema: { type: 'integer', minimum: least, maximum: most },
  read(text) {
    const number = /^\d{1,9}$/.test(text.trim()) ? Number(text) : NaN;
    return number >= least && number <= most ? number : undefined;
  },
});

export const oneOf = <T extends string>(words: readonly T[]): Kind<T> => ({
  allowed: `one of ${words.join(', ')}`,
  schema: { enum: words },
  read: text => words.find(word => word === text.trim()),
});

export const text = (allowed: string, joined?: string): Kind<string> => ({
  allowed,
  schema:
    joined === undefined
      ? { type: 'string' }
      : { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  ...(joined === undefined ? {} : { joined }),
  read: given => (given.length > MAX_TEXT ? undefined : given),
});

/** How much: milli-cores or bytes, or a part of what the container requests. */
export type Amount = { readonly amount: number } | { readonly ofRequest: number };

/** `scale`: of the unit that it is counted in, by powers of ten. */
export const amount = (scale: number, example: string): Kind<Amount> => ({
  allowed: `a quantity as "${example}", or a part of the request as "80%"`,
  schema: { type: ['string', 'number'], minimum: 0 },
  read(given) {
    const percent = /^(\d{1,6})%$/.exec(given.trim())?.[1];
    if (percent !== undefined) return { ofRequest: Number(percent) / 100 };
    try {
      const value = Number(scaledValue(parseQuantity(given.trim()), scale));
      return value < 0 ? undefined : { amount: Math.min(value, Number.MAX_SAFE_INTEGER) };
    } catch (error) {
      if (error instanceof QuantityError) return undefined;
      throw error;
    }
  },
});

export interface Port {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

export const ports: Kind<readonly Port[]> = {
  allowed: `up to ${MAX_PORTS} ports as "80", "53/udp" or "9000/sctp", comma separated`,
  schema: {
    anyOf: [{ type: 'integer' }, { type: 'string' }, { type: 'array', items: { type: ['integer', 'string'] } }],
  },
  joined: ',',
  read(given) {
    const words = given.split(',', MAX_PORTS + 1);
    const found = words.flatMap(word => {
      const [, digits = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(word.trim()) ?? [];
      const port = Number(digits);
      return digits === '' || port < 1 || port > 65_535 ? [] : [{ port, protocol: protocol as Port['protocol'] }];
    });
    return found.length === words.length && words.length <= MAX_PORTS ? found : undefined;
  },
};

/** How a probe is answered: so from then on, the other way before. */
export interface Answer {
  readonly healthy: boolean;
  /** Since the container has started. */
  readonly afterMs: number;
}

const moment = duration();

export const answer: Kind<Answer> = {
  allowed: '"pass", "fail", "pass after 30s" or "fail after 30s"',
  schema: { type: 'string', pattern: '^(pass|fail)( after .+)?$' },
  read(given) {
    const [word, after, time, ...more] = given.trim().split(' ', 4);
    if ((word !== 'pass' && word !== 'fail') || more.length > 0) return undefined;
    const afterMs = after === undefined ? 0 : after === 'after' && time !== undefined ? moment.read(time) : undefined;
    return afterMs === undefined ? undefined : { healthy: word === 'pass', afterMs };
  },
};

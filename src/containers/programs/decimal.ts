/** Decimal numbers of any precision, as bc and dc have them: an integer and how many of its digits follow the point. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

export class DecimalError extends Error {
  override readonly name = 'DecimalError';
}

/** Digits beyond which a number is refused: what is computed with it must stay short of the event loop's time. */
const MAX_DIGITS = 4000;
const ten = (power: number): bigint => 10n ** BigInt(power);

export const decimal = (value: bigint | number, scale = 0): Decimal => ({ digits: BigInt(value), scale });
export const ZERO = decimal(0);

function bounded(value: Decimal): Decimal {
  if (value.scale > MAX_DIGITS || value.digits.toString(16).length > MAX_DIGITS)
    throw new DecimalError('number too large');
  return value;
}
const atScale = ({ digits, scale }: Decimal, wanted: number): bigint =>
  wanted >= scale ? digits * ten(wanted - scale) : digits / ten(scale - wanted);

export function parseDecimal(text: string, base = 10): Decimal {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace(/^[-_]/, '').split('.');
  if (whole.length + fraction.length > MAX_DIGITS) throw new DecimalError('number too large');
  const digit = (c: string): bigint => BigInt(parseInt(c, 36));
  let digits = 0n;
  for (const c of whole + fraction) digits = digits * BigInt(base) + digit(c);
  const scale = fraction.length;
  const value = base === 10 || scale === 0 ? digits : (digits * ten(scale)) / BigInt(base) ** BigInt(scale);
  return { digits: negative ? -value : value, scale };
}

export function add(a: Decimal, b: Decimal, sign: 1n | -1n = 1n): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return bounded({ digits: atScale(a, scale) + sign * atScale(b, scale), scale });
}
export function multiply(a: Decimal, b: Decimal, scale: number): Decimal {
  const kept = Math.min(a.scale + b.scale, Math.max(scale, a.scale, b.scale));
  return bounded({ digits: atScale({ digits: a.digits * b.digits, scale: a.scale + b.scale }, kept), scale: kept });
}
export function divide(a: Decimal, b: Decimal, scale: number): Decimal {
  if (b.digits === 0n) throw new DecimalError('divide by zero');
  return bounded({ digits: (a.digits * ten(scale + b.scale)) / (b.digits * ten(a.scale)), scale });
}
export function remainder(a: Decimal, b: Decimal, scale: number): Decimal {
  const quotient = divide(a, b, scale);
  const kept = Math.max(scale + b.scale, a.scale);
  return bounded({
    digits: atScale(a, kept) - atScale({ digits: quotient.digits * b.digits, scale: quotient.scale + b.scale }, kept),
    scale: kept,
  });
}
export function power(a: Decimal, b: Decimal, scale: number): Decimal {
  const exponent = atScale(b, 0);
  const size = exponent < 0n ? -exponent : exponent;
  if (size * BigInt(a.digits.toString().length) > BigInt(MAX_DIGITS)) throw new DecimalError('number too large');
  const whole: Decimal = { digits: a.digits ** size, scale: a.scale * Number(size) };
  if (exponent < 0n) return divide(decimal(1), whole, scale);
  const kept = Math.min(whole.scale, Math.max(scale, a.scale));
  return bounded({ digits: atScale(whole, kept), scale: kept });
}
export function squareRoot(a: Decimal, scale: number): Decimal {
  if (a.digits < 0n) throw new DecimalError('square root of a negative number');
  const kept = Math.max(scale, a.scale);
  const value = atScale(a, kept * 2);
  if (value < 2n) return { digits: value, scale: kept };
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return { digits: root, scale: kept };
    root = next;
  }
}
export const compare = (a: Decimal, b: Decimal): number => {
  const difference = add(a, b, -1n).digits;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

export function formatDecimal({ digits, scale }: Decimal, base = 10): string {
  const negative = digits < 0n;
  const size = negative ? -digits : digits;
  if (base === 10) {
    const text = size.toString().padStart(scale + 1, '0');
    const whole = text.slice(0, text.length - scale).replace(/^0+(?=\d)/, '');
    const shown = scale === 0 ? whole : `${whole === '0' ? '' : whole}.${text.slice(text.length - scale)}`;
    return negative && size !== 0n ? `-${shown}` : size === 0n ? '0' : shown;
  }
  const unit = ten(scale);
  const whole = (size / unit).toString(base).toUpperCase();
  let rest = size % unit;
  let fraction = '';
  for (let left = scale === 0 ? 0 : Math.ceil((scale * Math.LN10) / Math.log(base)); left > 0; left--) {
    rest *= BigInt(base);
    fraction += (rest / unit).toString(base).toUpperCase();
    rest %= unit;
  }
  return `${negative ? '-' : ''}${fraction === '' ? whole : `${whole === '0' ? '' : whole}.${fraction}`}`;
}

import type { Program } from '../process.js';
import { FormatError, formatText } from './format.js';
import { asBytes, toBytes } from './lines.js';

/** "12", "0x1f", "017", "'a": as printf takes numbers. */
function integerOf(text: string): bigint | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return 0n;
  if (trimmed.startsWith("'") || trimmed.startsWith('"')) return BigInt(Buffer.from(trimmed.slice(1))[0] ?? 0);
  const parsed = /^([-+]?)(0[xX][0-9a-fA-F]{1,32}|\d{1,40})$/.exec(trimmed);
  if (parsed === null) return undefined;
  const digits = parsed[2] ?? '0';
  const value = /^0[0-7]+$/.test(digits)
    ? BigInt(`0o${digits.slice(1)}`)
    : /^0\d/.test(digits)
      ? undefined
      : BigInt(digits);
  if (value === undefined) return undefined;
  return BigInt.asIntN(64, parsed[1] === '-' ? -value : value);
}

const MAX_ROUNDS = 1_000_000;

/** printf FORMAT [ARGUMENT]...: the format again for what is left. */
export const printf: Program = async process => {
  const [, format, ...args] = process.args.map(asBytes);
  const { stdout, stderr } = process;
  if (format === undefined) {
    await stderr.write('printf: usage: printf FORMAT [ARG]...\n');
    return 1;
  }
  let next = 0;
  let status = 0;
  const complaints: string[] = [];
  const bad = (text: string): void => {
    complaints.push(`${process.args[0] ?? 'printf'}: invalid number '${text}'\n`);
    status = 1;
  };
  const values = {
    string: () => args[next++] ?? '',
    integer() {
      const text = args[next++] ?? '';
      const value = integerOf(text);
      if (value === undefined) bad(text);
      return value ?? 0n;
    },
    number() {
      const text = (args[next++] ?? '0').trim();
      const value = text === '' ? 0 : Number(text);
      if (Number.isNaN(value)) bad(text);
      return Number.isNaN(value) ? 0 : value;
    },
  };
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = next;
      const { text, stopped } = formatText(format, values, true);
      for (const complaint of complaints.splice(0)) await stderr.write(complaint);
      await stdout.write(toBytes(text));
      if (stopped || next >= args.length || next === before) break;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    await stderr.write(`printf: ${error.message}\n`);
    return 1;
  }
  return status;
};

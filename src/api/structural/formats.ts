import { isIPv6 } from 'node:net';
import { durationProblem } from '../../machinery/duration.js';
import { isBase64, isDate, isDateTime, isUuid } from '../../machinery/text-formats.js';
import { bookNumber, cardNumber } from './format-numbers.js';
import { isEmail, isRequestUri } from './format-addresses.js';

/** Source: apiextensions-apiserver pkg/apiserver/validation/formats.go, kube-openapi pkg/validation/strfmt. */
type FormatCheck = (text: string) => boolean;

/** What says whether a text has a format; undefined: the format is not known, and nothing is checked. */
export const formatCheck = (format: string | undefined): FormatCheck | undefined =>
  format === undefined ? undefined : FORMATS.get(format.replaceAll('-', ''));

export const isKnownFormat = (format: string): boolean => formatCheck(format) !== undefined;

const matching =
  (pattern: RegExp): FormatCheck =>
  text =>
    pattern.test(text);

/** Leading zeros are taken. */
const isIpv4 = (text: string): boolean => {
  const parts = text.split('.');
  return parts.length === 4 && parts.every(part => /^[0-9]+$/.test(part) && Number(part) <= 255);
};
/** Go knows no zones here. */
const isIpv6Address = (text: string): boolean => !text.includes('%') && isIPv6(text);

function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return false;
  const [address, length] = [text.slice(0, slash), text.slice(slash + 1)];
  const bits = isIpv4(address) ? 32 : isIpv6Address(address) ? 128 : -1;
  return /^[0-9]{1,3}$/.test(length) && Number(length) <= bits;
}

/** 6, 8 or 20 bytes, two digits a piece between colons or dashes, or four between dots. */
function isMac(text: string): boolean {
  const separator = text[2] === ':' || text[2] === '-' ? text[2] : '.';
  const digits = separator === '.' ? 4 : 2;
  const parts = text.split(separator);
  const hex = digits === 4 ? /^[0-9a-f]{4}$/i : /^[0-9a-f]{2}$/i;
  return [6, 8, 20].includes((parts.length * digits) / 2) && parts.every(part => hex.test(part));
}

const LABEL = /^[a-zA-Z0-9\p{S}\p{L}](?:[a-zA-Z0-9\p{S}\p{L}-]{0,61}[a-zA-Z0-9\p{S}\p{L}])?$/u;
const ONLY_LABEL = /^[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?$/u;
const TOP_LEVEL = /^[a-zA-Z\p{L}]{2,63}$/u;

function isHostname(text: string): boolean {
  const labels = text.split('.');
  const last = labels.pop() ?? '';
  if (Buffer.byteLength(text) > 255 || [...labels, last].some(label => Buffer.byteLength(label) > 63)) return false;
  return labels.length === 0 ? ONLY_LABEL.test(last) : TOP_LEVEL.test(last) && labels.every(label => LABEL.test(label));
}

const UNITS: readonly (readonly string[])[] = [
  ['ns', 'nano'],
  ['us', 'µs', 'micro'],
  ['ms', 'milli'],
  ['s', 'sec'],
  ['m', 'min'],
  ['h', 'hr', 'hour'],
  ['d', 'day'],
  ['w', 'wk', 'week'],
];
const INT64_DIGITS = 18;

/** Go's form, or any text that has a number with a unit in words in it, as Scala's: "2 days". */
function isDuration(text: string): boolean {
  if (durationProblem(text) === undefined) return true;
  let known = false;
  let digits = '';
  for (const [word] of text.matchAll(/[0-9]+|[A-Za-zµ]+|[^0-9A-Za-zµ\s]/g)) {
    const number = digits;
    digits = /^[0-9]/.test(word) ? word : '';
    if (number === '' || !/^[A-Za-zµ]/.test(word)) continue;
    const unit = word;
    if (number.length > INT64_DIGITS) return false;
    const name = unit.toLowerCase();
    known ||= UNITS.some(variants => variants.includes(name) || name.startsWith(variants.at(-1) ?? name));
  }
  return known;
}

const SHORT_NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const isShortName = (text: string): boolean => text.length <= 63 && SHORT_NAME.test(text);
const isLongName = (text: string): boolean =>
  text.length <= 253 && text.split('.').every(part => SHORT_NAME.test(part));

const FORMATS: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ['bsonobjectid', matching(/^[0-9a-f]{24}$/i)],
  ['uri', isRequestUri],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', text => isIpv4(text) || (text.includes('.') && isIpv6Address(text))],
  ['ipv6', isIpv6Address],
  ['cidr', isCidr],
  ['mac', isMac],
  ['uuid', isUuid],
  ['uuid3', matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ['uuid4', matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ['uuid5', matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ['isbn', text => bookNumber(text, 10) || bookNumber(text, 13)],
  ['isbn10', text => bookNumber(text, 10)],
  ['isbn13', text => bookNumber(text, 13)],
  ['creditcard', cardNumber],
  ['ssn', text => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ['hexcolor', matching(/^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i)],
  ['rgbcolor', isRgbColor],
  ['byte', isBase64],
  ['password', () => true],
  ['date', isDate],
  ['duration', isDuration],
  ['datetime', isDateTime],
  ['k8sshortname', isShortName],
  ['k8slongname', isLongName],
]);

function isRgbColor(text: string): boolean {
  const inside = text.startsWith('rgb(') && text.endsWith(')') ? text.slice(4, -1).split(',') : [];
  return inside.length === 3 && inside.every(part => /^(?:0|[1-9]\d{0,2})$/.test(part.trim()) && Number(part) <= 255);
}

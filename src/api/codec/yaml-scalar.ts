import { compositionError, type ScalarNode } from './yaml-document.js';

/** What go-yaml makes of a scalar. Integers are as long as they like. */
export type ScalarValue = string | number | bigint | boolean | null;

const PREFIX = 'tag:yaml.org,2002:';
const words = (value: ScalarValue, text: string): [string, ScalarValue][] => text.split(' ').map(word => [word, value]);

const WORDS: ReadonlyMap<string, ScalarValue> = new Map([
  ...words(true, 'y Y yes Yes YES true True TRUE on On ON'),
  ...words(false, 'n N no No NO false False FALSE off Off OFF'),
  ...words(null, '~ null Null NULL'),
  ...words(NaN, '.nan .NaN .NAN'),
  ...words(Infinity, '.inf .Inf .INF +.inf +.Inf +.INF'),
  ...words(-Infinity, '-.inf -.Inf -.INF'),
  ['', null],
]);
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
/** strconv.ParseInt with base 0. */
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d))|(?: \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?))?$/;

function parseInteger(text: string): bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const digits =
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : octal !== undefined
          ? `0o${octal}`
          : (decimal ?? '');
  const value = BigInt(digits) * (sign === '-' ? -1n : 1n);
  // Neither int64 nor, without a sign, uint64.
  const fits = value >= -(2n ** 63n) && value < (sign === '' ? 2n ** 64n : 2n ** 63n);
  return fits ? value : undefined;
}

function parseFloatText(text: string): number | undefined {
  const value = Number(text);
  return FLOAT.test(text) && Number.isFinite(value) ? value : undefined;
}

/** The value of plain text and what it is: "int", "float", "bool", "null", "timestamp" or "str". */
function classify(text: string, tag: string): [type: string, value: ScalarValue] {
  const known = WORDS.get(text);
  if (known !== undefined) {
    return [known === null ? 'null' : typeof known === 'boolean' ? 'bool' : 'float', known];
  }
  if (text === '<<') return ['merge', text];
  if (text.startsWith('.')) {
    const float = parseFloatText(text);
    return float === undefined ? ['str', text] : ['float', float];
  }
  if (!/^[-+0-9]/.test(text)) return ['str', text];
  // go-yaml keeps timestamps as text when it decodes into no type.
  if ((tag === '' || tag === 'timestamp') && TIMESTAMP.test(text)) return ['timestamp', text];
  const plain = text.replaceAll('_', '');
  const integer = parseInteger(plain);
  if (integer !== undefined) return ['int', integer];
  const float = parseFloatText(plain);
  return float === undefined ? ['str', text] : ['float', float];
}

/** Source: go-yaml v2 resolve.go. @throws YamlSyntaxError when the tag says something else than the text */
export function scalarValue({ text, tag, plain }: ScalarNode): ScalarValue {
  if (tag === '' && !plain) return text;
  if (tag === `${PREFIX}binary`) return binary(text);
  if (tag !== '' && !/^tag:yaml\.org,2002:(str|bool|int|float|null|timestamp)$/.test(tag)) return text;
  const wanted = tag.slice(PREFIX.length);
  if (wanted === 'str') return text;
  const [type, value] = classify(text, wanted);
  if (wanted === '' || wanted === type || (wanted === 'float' && type === 'int')) return value;
  throw compositionError(`cannot decode !!${type} \`${text}\` as a !!${wanted}`);
}

function binary(text: string): string {
  const clean = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(clean))
    throw compositionError('!!binary value contains invalid base64 data');
  return Buffer.from(clean, 'base64').toString();
}

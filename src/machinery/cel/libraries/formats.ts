import { parseRequestUri } from '../../go-url.js';
import { isBase64, isDate, isDateTime, isUuid } from '../../text-formats.js';
import {
  isLabelValue,
  isQualifiedName,
  nameIsDns1035Label,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  type FormatCheck,
} from '../../validation/names.js';
import type { Declaration, Example, Library } from '../declarations.js';
import { scaleRange } from '../ranges.js';
import { REGEX_COST, TEXT_COST } from '../standard/sizes.js';
import { listOf, optionalOf, STRING, struct } from '../types.js';
import { ArrayList, NO_OPTIONAL, OptionalValue, type OpaqueValue, type Value } from '../values.js';
import { matchCost } from './costs.js';
import { method, NOMINAL, sizeOfArg } from './overloads.js';
import { overload } from '../standard/overload.js';

/** Source: k8s.io/apiserver pkg/cel/library/format.go, pkg/cel/format.go. */
const FORMAT_TYPE = struct('kubernetes.NamedFormat');
/** As long as a text that is a format is taken for. */
const MAX_LENGTH = 64;
/** As long as any of the regular expressions is taken for. */
const MAX_PATTERN = 128;

class FormatValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = FORMAT_TYPE;
  constructor(
    private readonly name: string,
    readonly check: FormatCheck,
    /** As long a regular expression as costs are counted for. */
    readonly pattern: number,
  ) {}
  equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

const saying =
  (problem: string, holds: (text: string) => boolean): FormatCheck =>
  text =>
    holds(text) ? [] : [problem];

function uriProblems(text: string): string[] {
  const url = parseRequestUri(text);
  return typeof url === 'string' ? [url] : [];
}

interface Named {
  readonly value: FormatValue;
  readonly good: string;
  readonly bad?: string;
}

const named = (name: string, check: FormatCheck, pattern: number, good: string, bad?: string): Named => ({
  value: new FormatValue(name, check, pattern),
  good,
  ...(bad === undefined ? {} : { bad }),
});

const NAMED: ReadonlyMap<string, Named> = new Map([
  ['dns1123Label', named('DNS1123Label', text => nameIsDnsLabel(text, false), 30, 'my-name', '-')],
  ['dns1123Subdomain', named('DNS1123Subdomain', text => nameIsDnsSubdomain(text, false), 60, 'apps.k8s.io', 'A')],
  ['dns1035Label', named('DNS1035Label', text => nameIsDns1035Label(text, false), 30, 'my-name', '1')],
  ['qualifiedName', named('QualifiedName', isQualifiedName, 60, 'apps.k8s.io/v1beta1', '/')],
  ['dns1123LabelPrefix', named('DNS1123LabelPrefix', text => nameIsDnsLabel(text, true), 30, 'my-name-')],
  ['dns1123SubdomainPrefix', named('DNS1123SubdomainPrefix', text => nameIsDnsSubdomain(text, true), 60, 'my.name-')],
  ['dns1035LabelPrefix', named('DNS1035LabelPrefix', text => nameIsDns1035Label(text, true), 30, 'my-name-')],
  ['labelValue', named('LabelValue', isLabelValue, 40, 'my.value', '-')],
  ['uri', named('URI', uriProblems, 1103, 'http://example.com', 'x')],
  [
    'uuid',
    named('uuid', saying('does not match the UUID format', isUuid), 70, '123e4567-e89b-12d3-a456-426614174000', '1'),
  ],
  ['byte', named('byte', saying('invalid base64', isBase64), 84, 'aGVsbG8=', '=')],
  ['date', named('date', saying('invalid date', isDate), 71, '2021-01-01', '2021-13-01')],
  ['datetime', named('datetime', saying('invalid datetime', isDateTime), 71, '2021-01-01T00:00:00Z', '2021-01-01')],
]);

function validate(format: FormatValue, text: string): Value {
  const problems = format.check(text);
  return problems.length === 0 ? NO_OPTIONAL : new OptionalValue(new ArrayList(problems));
}

function examplesOf(name: string, { good, bad }: Named): Example[] {
  const of = `format.${name}()`;
  const holds = { expr: `${of}.validate('${good}').hasValue()`, is: 'false' };
  return bad === undefined ? [holds] : [holds, { expr: `${of}.validate('${bad}').hasValue()`, is: 'true' }];
}

const CONSTANTS: readonly Declaration[] = Array.from(NAMED, ([name, format]) => ({
  name: `format.${name}`,
  doc: `The format ${name}.`,
  examples: examplesOf(name, format),
  overloads: [overload(`format.${name}`, [], FORMAT_TYPE, () => format.value)],
}));

export const FORMATS: Library = {
  name: 'kubernetes.format',
  types: [
    {
      type: FORMAT_TYPE,
      doc: 'What says whether a text is as it should be.',
      isIdentifier: false,
      equalityCost: 1,
      estimateEquality: () => scaleRange({ min: 1, max: MAX_LENGTH }, TEXT_COST),
    },
  ],
  functions: [
    {
      name: 'validate',
      doc: 'What is wrong with a text; nothing when it has the format.',
      examples: [
        { expr: `format.uuid().validate('x').value()`, is: `['does not match the UUID format']` },
        { expr: `format.uri().validate('x').value()`, is: `['parse "x": invalid URI for request']` },
      ],
      overloads: [
        method('format-validate', [FORMAT_TYPE, STRING], optionalOf(listOf(STRING)), validate, {
          cost: args => matchCost(args[1], args[0] instanceof FormatValue ? args[0].pattern : MAX_PATTERN),
          estimate: call => ({ cost: scaleRange(scaleRange(sizeOfArg(call, 1), TEXT_COST), MAX_PATTERN * REGEX_COST) }),
        }),
      ],
    },
    {
      name: 'format.named',
      doc: 'The format of a name, if there is one.',
      examples: [
        { expr: `format.named('uuid').value() == format.uuid()`, is: 'true' },
        { expr: `format.named('nothing').hasValue()`, is: 'false' },
      ],
      overloads: [
        overload(
          'format-named',
          [STRING],
          optionalOf(FORMAT_TYPE),
          (name: string) => {
            const format = NAMED.get(name);
            return format === undefined ? NO_OPTIONAL : new OptionalValue(format.value);
          },
          NOMINAL,
        ),
      ],
    },
    ...CONSTANTS,
  ],
};

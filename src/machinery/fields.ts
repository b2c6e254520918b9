import { SelectorError } from './label-requirement.js';

/** Field selectors: "status.phase!=Running,spec.nodeName=n". Source: apimachinery pkg/fields. */

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
  readonly empty: boolean;
  /** `get` gives the value of a field of the object, "" when it has none. */
  matches(get: (field: string) => string): boolean;
  /** The value that the selector requires of a field, if it requires one. */
  exactValue(field: string): string | undefined;
  /** The text form, which parses to an equal selector. */
  toString(): string;
}

const escapeValue = (value: string): string => value.replace(/[\\,=]/g, char => `\\${char}`);

export const fieldSelectorOf = (requirements: readonly FieldRequirement[]): FieldSelector => ({
  requirements,
  empty: requirements.length === 0,
  matches: get => requirements.every(r => (get(r.field) === r.value) === (r.operator === '=')),
  exactValue: field => requirements.find(r => r.operator === '=' && r.field === field)?.value,
  toString: () => requirements.map(r => `${r.field}${r.operator}${escapeValue(r.value)}`).join(','),
});

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = '';
  const chars = [...text];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    if (char === ',' || char === '=') {
      // Upstream prints the rune as a number.
      throw new SelectorError(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    }
    if (char !== '\\') {
      value += char;
      continue;
    }
    const next = chars[++i] ?? '';
    if (next !== '\\' && next !== ',' && next !== '=') {
      throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
    }
    value += next;
  }
  return value;
}

/** At commas that are not escaped. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') {
      i++;
    } else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/** The fieldSelector of a query; empty terms are ignored. @throws SelectorError with upstream's text */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue;
    const equals = term.indexOf('=');
    if (equals < 0) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    const differs = term[equals - 1] === '!';
    const field = term.slice(0, differs ? equals - 1 : equals);
    const value = unescapeValue(term.slice(equals + (!differs && term[equals + 1] === '=' ? 2 : 1)));
    if (field !== '' || value !== '') requirements.push({ field, operator: differs ? '!=' : '=', value });
  }
  return fieldSelectorOf(requirements);
}

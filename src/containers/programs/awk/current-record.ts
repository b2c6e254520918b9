import type { Regex } from '../../../machinery/regex/regex.js';
import { AwkError } from './syntax.js';
import { atOnce, type Steps } from '../../../machinery/steps.js';
import { paced } from '../../paced.js';
import { characters, fieldsBetween, fieldsBetweenBlanks, LONG_TEXT } from './fields.js';
import { fromOutside, type Value } from './values.js';
import { then, type Maybe } from './maybe.js';
import { pay, regexOf, textOf, type Awk } from './state.js';

export const MAX_FIELDS = 1_000_000;

export function setRecord(awk: Awk, text: string): void {
  awk.record = text;
  awk.state = 'uncut';
}

export function getRecord(awk: Awk): string {
  if (awk.state === 'changed') {
    const glue = textOf(awk, awk.globals.get('OFS') as Value);
    pay(
      awk,
      awk.fields.reduce((sum, field) => sum + field.length + glue.length, 0),
    );
    awk.record = awk.fields.join(glue);
    awk.state = 'whole';
  }
  return awk.record;
}

export function cutRecord(awk: Awk): Maybe<void> {
  if (awk.state !== 'uncut') return;
  return then(splitText(awk, awk.record, textOf(awk, awk.globals.get('FS') as Value)), fields => {
    awk.fields = fields;
    awk.state = 'whole';
    awk.globals.set('NF', fields.length);
  });
}

/** Cuts text at a separator: " " at blanks, one character at that, anything else where it matches. */
export function splitText(awk: Awk, text: string, separator: string): Maybe<string[]> {
  pay(awk, text.length);
  const paragraph = awk.globals.get('RS') === '';
  const run = (steps: Steps<string[]>): Maybe<string[]> =>
    text.length < LONG_TEXT ? atOnce(steps) : paced(steps, awk.process.turn);
  if (separator === ' ') return run(fieldsBetweenBlanks(text));
  if (text === '') return [];
  if (separator === '') return run(characters(text));
  if (separator.length === 1 && separator !== '\\' && !paragraph) return run(fieldsBetween(text, separator));
  const regex = regexOf(
    awk,
    separator.length === 1
      ? `[${separator === '^' || separator === '\\' ? `\\${separator}` : separator}]|\n`
      : separator,
  );
  return splitBy(awk, text, regex);
}

async function splitBy(awk: Awk, text: string, regex: Regex): Promise<string[]> {
  const parts: string[] = [];
  let done = 0;
  let tried = 0;
  for (let from = 0; from <= text.length && parts.length < MAX_FIELDS;) {
    if (++tried % 32 === 0) await awk.process.turn();
    const found = regex.exec(text, from);
    const match = found instanceof Promise ? await found : found;
    if (match === undefined) break;
    if (match.end === match.start) {
      from = match.end + 1;
      continue;
    }
    parts.push(text.slice(done, match.start));
    done = from = match.end;
  }
  parts.push(text.slice(done));
  return parts;
}

export function getField(awk: Awk, index: number): Maybe<Value> {
  if (index < 0) throw new AwkError('access to negative field');
  if (index === 0) return fromOutside(getRecord(awk));
  return then(cutRecord(awk), () => {
    const field = awk.fields[Math.trunc(index) - 1];
    return field === undefined ? undefined : fromOutside(field);
  });
}

export function setField(awk: Awk, index: number, value: Value): Maybe<void> {
  if (index < 0 || index > MAX_FIELDS) throw new AwkError('bad field number');
  const text = textOf(awk, value);
  if (index === 0) return setRecord(awk, text);
  return then(cutRecord(awk), () => {
    while (awk.fields.length < index) awk.fields.push('');
    awk.fields[Math.trunc(index) - 1] = text;
    awk.globals.set('NF', awk.fields.length);
    awk.state = 'changed';
  });
}

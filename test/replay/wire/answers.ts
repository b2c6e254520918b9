import type { Answer } from './client.js';
import { getAt, removeAt, sortAt } from './paths.js';
import type { Step } from './types.js';

/** Made by a controller in every namespace, at a moment that nobody knows. */
const HIDDEN = 'kube-root-ca.crt';

export const isHidden = (object: unknown): boolean => getAt(object, 'metadata.name') === HIDDEN;

/** Mutates: takes out what is not compared, wherever it stands. */
export function withoutHidden(body: unknown, keepDescriptions = false): unknown {
  const tree = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const { items, rows, columnDefinitions } = tree;
  if (Array.isArray(items)) tree['items'] = items.filter(item => !isHidden(item));
  if (tree['kind'] !== 'Table') return body;
  if (Array.isArray(rows)) tree['rows'] = rows.filter(row => !isHidden(getAt(row, 'object')));
  // Upstream's prose, unless they are the definition's.
  if (Array.isArray(columnDefinitions) && !keepDescriptions)
    for (const column of columnDefinitions as Record<string, unknown>[]) delete column['description'];
  return body;
}

function selected(body: unknown, { path, where }: NonNullable<Step['select']>): unknown {
  const found = getAt(body, path) ?? null;
  if (where === undefined || !Array.isArray(found)) return found;
  const holds = (item: unknown): boolean =>
    Object.entries(where).every(([key, value]) => (getAt(item, key) ?? '') === value);
  return found.find(holds) ?? null;
}

const formatOf = (text: string): string =>
  `${text.includes('\n ') ? 'indented' : 'compact'}${text.endsWith('\n') ? '+newline' : ''}`;

/** The part of an answer that is compared. */
export function comparable(
  step: Step,
  { status, contentType, warnings, header, content }: Answer,
): Record<string, unknown> {
  const view: Record<string, unknown> = { status, contentType };
  if (warnings.length > 0) view['warnings'] = warnings;
  if (step.recordHeaders !== undefined && step.recordHeaders.length > 0)
    view['headers'] = Object.fromEntries(step.recordHeaders.map(name => [name, header(name)]));
  if (step.checkFormat === true && content.kind === 'json') view['format'] = formatOf(content.text);
  if (step.ignoreBody === true) return view;
  if (content.kind === 'binary') view['binary'] = true;
  else if (content.kind === 'text') {
    if (content.text !== '') view['text'] = content.text;
  } else {
    const whole = withoutHidden(structuredClone(content.body), step.keepDescriptions);
    const body = step.select === undefined ? whole : selected(whole, step.select);
    for (const path of step.drop ?? []) removeAt(body, path);
    for (const path of step.unordered ?? []) sortAt(body, path);
    for (const path of step.ignore ?? []) removeAt(body, path);
    view['body'] = body;
  }
  return view;
}

export const sameMediaType = (a: string, b: string): boolean => {
  const form = (text: string): string => text.toLowerCase().replaceAll(/\s/g, '').split(';').sort().join(';');
  return form(a) === form(b);
};

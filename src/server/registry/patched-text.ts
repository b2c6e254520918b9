/**
 * The text of a patched document as gopkg.in/evanphx/json-patch.v4 writes it: what the patch went through is a Go map
 * again, with sorted members; the rest is the document's own text. Only error messages show it.
 */
type Touched = (value: unknown, path: string) => boolean;

const HTML = /[<>&\u2028\u2029]/;
const ALL_HTML = new RegExp(HTML, 'g');
/** encoding/json makes its output safe inside HTML. */
const quoted = (text: string): string =>
  !HTML.test(text)
    ? JSON.stringify(text)
    : JSON.stringify(text).replace(ALL_HTML, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

function write(value: unknown, path: string, touched: Touched): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map((item, i) => write(item, `${path}/${i}`, touched)).join(',')}]`;
  const members = Object.keys(value).filter(key => (value as Record<string, unknown>)[key] !== undefined);
  if (touched(value, path)) members.sort();
  const texts = members.map(key => {
    const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return `${quoted(key)}:${write((value as Record<string, unknown>)[key], at, touched)}`;
  });
  return `{${texts.join(',')}}`;
}

function everyObject(value: unknown, into: Set<unknown>): Set<unknown> {
  if (typeof value !== 'object' || value === null) return into;
  into.add(value);
  for (const member of Object.values(value)) everyObject(member, into);
  return into;
}

/** After a merge patch: what is still the same object as in the document was not touched. */
export function mergedText(patched: unknown, document: unknown): string {
  const untouched = everyObject(document, new Set());
  return write(patched, '', value => !untouched.has(value));
}

/** After a JSON patch: every container on the way to what an operation names was touched. */
export function jsonPatchedText(patched: unknown, paths: readonly string[]): string {
  const touched = new Set<string>(['']);
  for (const path of paths) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) touched.add(path.slice(0, at));
  }
  return write(patched, '', (_value, path) => touched.has(path));
}

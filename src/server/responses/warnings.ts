/**
 * Warning headers, within upstream's budget (k8s.io/apiserver pkg/endpoints/filters/warning.go): while the texts
 * together stay within 4096 characters all are sent; beyond that each is cut to 256, and what comes after the budget is
 * used up is left out.
 */
const TOTAL_BUDGET = 4 * 1024;
const ITEM_BUDGET = 256;

const runes = (text: string): number => [...text].length;

/** Go's unicode.IsControl; what has such a character is no header. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Header values are latin1 in Node: UTF-8 bytes are sent as Go sends them. */
const quoted = (text: string): string =>
  `299 - "${Buffer.from(text.replace(/[\\"]/g, '\\$&'), 'utf8').toString('latin1')}"`;

const cut = (text: string): string => (runes(text) > ITEM_BUDGET ? [...text].slice(0, ITEM_BUDGET).join('') : text);

/** `texts` in the order they were given; equal texts are sent once. */
export function warningHeaders(texts: readonly string[]): string[] {
  let headers: string[] = [];
  let used = 0;
  let cutting = false;
  const seen: string[] = [];
  const add = (text: string): void => {
    used += runes(text);
    headers.push(quoted(text));
  };
  for (const text of new Set(texts)) {
    if (text === '' || CONTROL.test(text)) continue;
    // Upstream looks before it adds: the one that goes beyond the budget is still sent.
    if (cutting && used >= TOTAL_BUDGET) break;
    seen.push(text);
    if (cutting || used + runes(text) <= TOTAL_BUDGET) {
      add(cutting ? cut(text) : text);
      continue;
    }
    cutting = true;
    [headers, used] = [[], 0];
    for (const earlier of seen) add(cut(earlier));
  }
  return headers;
}

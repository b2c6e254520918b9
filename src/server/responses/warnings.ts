/**
 * Warning headers, within upstream's budget (k8s.io/apiserver pkg/endpoints/filters/warning.go): while the texts
 * together stay within 4096 characters all are sent; beyond that each is cut to 256 and the rest left out.
 */
const TOTAL_BUDGET = 4 * 1024;
const ITEM_BUDGET = 256;

const runes = (text: string): number => [...text].length;

/** Control characters never reach a header. Header values are latin1 in Node: UTF-8 bytes are sent as Go sends them. */
const quoted = (text: string): string => {
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/[\\"]/g, '\\$&');
  return `299 - "${Buffer.from(clean, 'utf8').toString('latin1')}"`;
};

/** `texts` in the order they were given; equal texts are sent once. */
export function warningHeaders(texts: readonly string[]): string[] {
  const unique = [...new Set(texts)].filter(t => t !== '');
  const total = unique.reduce((sum, text) => sum + runes(text), 0);
  if (total <= TOTAL_BUDGET) return unique.map(quoted);
  const headers: string[] = [];
  let used = 0;
  for (const text of unique) {
    const cut = runes(text) > ITEM_BUDGET ? [...text].slice(0, ITEM_BUDGET).join('') : text;
    used += runes(cut);
    if (used > TOTAL_BUDGET) break;
    headers.push(quoted(cut));
  }
  return headers;
}

export interface Clause {
  readonly type: string;
  readonly subtype: string;
  readonly q: number;
  readonly params: ReadonlyMap<string, string>;
}

const unquote = (text: string): string =>
  text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;

/**
 * The clauses of an Accept header, best first: by q, then by how specific they are, then in the order given
 * (bitbucket.org/ww/goautoneg, which k8s.io/apiserver uses). Unreadable clauses are left out.
 */
export function parseAccept(header: string): Clause[] {
  const clauses: Clause[] = [];
  for (const part of header.split(',')) {
    const [media = '', ...rest] = part.split(';').map(p => p.trim());
    let [type = '', subtype = ''] = media.split('/').map(p => p.trim());
    if (media === '*') [type, subtype] = ['*', '*'];
    if (type === '' || subtype === '') continue;
    let q = 1;
    const params = new Map<string, string>();
    for (const param of rest) {
      const at = param.indexOf('=');
      if (at < 0) continue;
      const name = param.slice(0, at).trim();
      const value = unquote(param.slice(at + 1).trim());
      if (name === 'q') q = Number.isNaN(Number.parseFloat(value)) ? 1 : Number.parseFloat(value);
      else params.set(name, value);
    }
    clauses.push({ type, subtype, q, params });
  }
  const specificity = (c: Clause): number => (c.type === '*' ? 2 : c.subtype === '*' ? 1 : 0);
  return clauses.sort((a, b) => b.q - a.q || specificity(a) - specificity(b));
}

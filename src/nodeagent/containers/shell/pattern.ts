/** A piece of a word after expansion: quoted text never acts as a pattern and is never split. */
export interface Fragment {
  readonly text: string;
  readonly quoted: boolean;
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const CLASSES: Readonly<Record<string, string>> = {
  '[:alpha:]': 'A-Za-z',
  '[:digit:]': '0-9',
  '[:alnum:]': 'A-Za-z0-9',
  '[:upper:]': 'A-Z',
  '[:lower:]': 'a-z',
  '[:space:]': '\\s',
  '[:punct:]': '!-\\/:-@\\[-`{-~',
};

/** POSIX pattern matching notation to the source of a regular expression. */
export function patternSource(fragments: readonly Fragment[], { lazy = false, path = false } = {}): string {
  const any = path ? '[^/]' : '[^]';
  return fragments
    .map(({ text, quoted }) => {
      if (quoted) return escape(text);
      return text.replace(/\*|\?|\[(!|\^)?(\]?(?:\[:\w+:\]|[^\]])*)\]|[^*?[]+|\[/g, (match, negated, set) => {
        if (match === '*') return `${any}*${lazy ? '?' : ''}`;
        if (match === '?') return any;
        if (match.startsWith('[') && match.length > 1) {
          const body = (set as string).replace(/\[:\w+:\]|[\\\]^]/g, part => CLASSES[part] ?? `\\${part}`);
          return `[${negated === undefined ? '' : '^'}${body}]`;
        }
        return escape(match);
      });
    })
    .join('');
}

export const matchesPattern = (text: string, fragments: readonly Fragment[]): boolean =>
  new RegExp(`^(?:${patternSource(fragments)})$`, 'u').test(text);

export const hasPattern = (fragments: readonly Fragment[]): boolean =>
  fragments.some(f => !f.quoted && /[*?[]/.test(f.text));

/** ${name#pattern} and its kin. */
export function trimPattern(value: string, fragments: readonly Fragment[], op: string): string {
  const longest = op.length === 2;
  const source = patternSource(fragments, { lazy: !longest });
  if (op.startsWith('#')) return value.replace(new RegExp(`^(?:${source})`), '');
  // A suffix: the shortest match is the one that starts latest.
  const anchored = new RegExp(`^(?:${patternSource(fragments)})$`);
  const starts = Array.from({ length: value.length + 1 }, (_, i) => (longest ? i : value.length - i));
  const at = starts.find(i => anchored.test(value.slice(i)));
  return at === undefined ? value : value.slice(0, at);
}

const BLANK = /[ \t]/;

/** Text without the blanks it begins with. */
function trimmed(text: string): string {
  let at = 0;
  while (at < text.length && BLANK.test(text[at] ?? '')) at++;
  return text.slice(at);
}

/**
 * The value of a key in a file of KEY='VALUE' lines, a subset of what a POSIX shell reads (kubelet util/env.ParseEnv). The
 * first line of the key decides, a value may span lines; '' when there is none. @throws Error
 */
export function envFileValue(content: string, key: string): string {
  const lines = content.split('\n').map(line => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const invalid = (at: number, why: string): Error =>
    new Error(`invalid environment variable format at line ${at + 1}: ${why}`);
  for (let i = 0; i < lines.length; i++) {
    const line = trimmed(lines[i] ?? '');
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    if (equals < 0) throw invalid(i, "missing '='");
    const name = line.slice(0, equals);
    if (name === '') throw invalid(i, 'empty variable name');
    if (BLANK.test(name.at(-1) ?? '')) throw invalid(i, "whitespace before '=' is not allowed");
    const value = line.slice(equals + 1);
    // As to a shell, KEY= 'x' sets KEY to nothing.
    if (BLANK.test(value[0] ?? '')) {
      if (name === key) return '';
      continue;
    }
    if (!value.startsWith("'")) throw invalid(i, 'value must be enclosed in single quotes');
    const begin = i;
    const parts: string[] = [];
    let rest = value.slice(1);
    for (let close = rest.indexOf("'"); close < 0; close = rest.indexOf("'")) {
      parts.push(rest, '\n');
      if (++i >= lines.length) throw invalid(begin, 'unclosed single quote');
      rest = lines[i] ?? '';
    }
    const close = rest.indexOf("'");
    const after = trimmed(rest.slice(close + 1));
    if (after !== '' && !after.startsWith('#')) throw invalid(i, 'unexpected content after closing quote');
    if (name === key) return parts.join('') + rest.slice(0, close);
  }
  return '';
}

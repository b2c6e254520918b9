/** As the command l shows it. */
export const visible = (text: string): string =>
  text.replace(/[\\\x00-\x1f\x7f-\xff]/g, c => {
    const known: Readonly<Record<string, string>> = {
      '\\': '\\\\',
      '\x07': '\\a',
      '\b': '\\b',
      '\f': '\\f',
      '\n': '\\n',
      '\r': '\\r',
      '\t': '\\t',
      '\v': '\\v',
    };
    return known[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });

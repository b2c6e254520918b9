/** Members of the named classes, e.g. [:alpha:]. */
export const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
};

/** POSIX basic (or extended) regular expression to a JavaScript one. */
export function regexSource(pattern: string, extended: boolean): string {
  const classes = pattern.replace(/\[:(\w+):\]/g, (_, name: string) => CLASSES[name] ?? name);
  if (extended) return classes;
  return classes.replace(
    /\\([+?|(){}])|([+?|(){}])|\\(.)/g,
    (match, special: string | undefined, plain: string | undefined) =>
      special !== undefined ? special : plain !== undefined ? `\\${plain}` : match,
  );
}

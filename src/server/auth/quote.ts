/** Go's %q for a string: close enough to JSON for everything that can stand in a name or a header. */
export const quote = (text: string): string => JSON.stringify(text);

/** Go's %q for a slice of strings: `["a" "b"]`. */
export const quoteList = (texts: readonly string[]): string => `[${texts.map(quote).join(' ')}]`;

/** utilerrors.NewAggregate: equal texts once, brackets around several. */
export function aggregate(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
}

/** As a shell would read it back. */
export const quote = (value: string): string => `'${value.replaceAll("'", `'"'"'`)}'`;

export const quoteForTrace = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word));

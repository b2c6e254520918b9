const MOST = 240;

/** On one line of a terminal, whatever a client has written: no control characters, not endless. */
export function plain(text: string): string {
  let line = '';
  for (const letter of text.slice(0, MOST))
    line += letter < ' ' || (letter >= '\u007f' && letter < '\u00a0') ? ' ' : letter;
  return text.length > MOST ? `${line}…` : line;
}

/** "12:03:01", by the clock on the wall. */
export const timeOfDay = (ms: number): string => new Date(ms).toTimeString().slice(0, 8);

/** "default/web", or "node-1" of what is in no namespace. */
export const nameOf = ({ namespace = '', name = '' }: { namespace?: string; name?: string }): string =>
  namespace === '' ? name : `${namespace}/${name}`;

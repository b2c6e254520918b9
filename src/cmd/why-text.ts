import type { Verdict } from '../explain/verdict.js';
import { printable } from '../explain/trace-text.js';

/** The cause, then what to change and the command that shows it. */
export const verdictText = ({ message, details, fix, show }: Verdict): string =>
  [
    message,
    ...details.map(detail => `  ${detail}`),
    ...(fix === undefined ? [] : [`  to mend it: ${fix}`]),
    ...(show === undefined ? [] : [`  to see it: ${show}`]),
  ]
    .map(line => `${printable(line.replaceAll('\n', ' '))}\n`)
    .join('');

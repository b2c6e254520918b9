import { allOf, type History } from '../history/observation.js';

/** How much was done and seen: nothing is proven where there was little. */
export function figuresOf(history: History): Record<string, number> {
  const answers = allOf(history, 'answered');
  const of = (is: (code: number) => boolean): number => answers.filter(({ code }) => is(code)).length;
  const sent = allOf(history, 'sent').length;
  return {
    starts: allOf(history, 'started').length,
    writes: sent,
    acknowledged: of(code => code < 300),
    refused: of(code => code >= 400 && code < 500),
    failed: of(code => code >= 500),
    unanswered: sent - answers.length,
    lists: allOf(history, 'listed').length,
    'watches begun': allOf(history, 'watching').length,
    'events checked': allOf(history, 'event').length + allOf(history, 'handled').length,
  };
}

import { WORD, type Assertion } from './syntax.js';

const isWord = (code: number): boolean => !Number.isNaN(code) && WORD.has(code);

/** Whether an assertion holds at a place of a text. */
export function holds(what: Assertion, text: string, at: number, notStart: boolean): boolean {
  switch (what) {
    case 'start':
      return at === 0 && !notStart;
    case 'end':
      return at === text.length;
    case 'line-start':
      return at === 0 || text[at - 1] === '\n';
    case 'line-end':
      return at === text.length || text[at] === '\n';
    case 'word-start':
      return !isWord(text.charCodeAt(at - 1)) && isWord(text.charCodeAt(at));
    case 'word-end':
      return isWord(text.charCodeAt(at - 1)) && !isWord(text.charCodeAt(at));
    case 'boundary':
      return isWord(text.charCodeAt(at - 1)) !== isWord(text.charCodeAt(at));
    case 'no-boundary':
      return isWord(text.charCodeAt(at - 1)) === isWord(text.charCodeAt(at));
  }
}

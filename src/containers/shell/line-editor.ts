import { resolvePath } from '../file-system.js';
import type { Process } from '../process.js';
import type { Terminal } from '../terminal.js';
import { builtins } from './builtins/index.js';
import type { Shell } from './state.js';

/** What a line is that Ctrl-C has ended. */
export const INTERRUPTED = Symbol('interrupted');

export interface LineEditor {
  /** The next line; undefined at the end of the input. */
  read(prompt: string): Promise<string | typeof INTERRUPTED | undefined>;
}

const MAX_HISTORY = 500;
const MAX_LINE = 4096;

/** What the keys of a terminal say: single characters, or the name of a key. */
type Key = string;

const CONTROL: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'left',
  3: 'interrupt',
  4: 'end-of-file',
  5: 'end',
  6: 'right',
  8: 'backspace',
  9: 'tab',
  10: 'enter',
  11: 'kill-to-end',
  12: 'clear',
  13: 'enter',
  14: 'down',
  16: 'up',
  21: 'kill-to-start',
  23: 'kill-word',
  127: 'backspace',
};
const ESCAPES: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  '[H': 'home',
  '[F': 'end',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[3~': 'delete',
  '[4~': 'end',
  '[7~': 'home',
  '[8~': 'end',
};

/** Cuts what comes from a terminal into keys; an escape sequence may be cut anywhere. */
function createKeyReader(process: Process) {
  let waiting = '';
  const decoder = new TextDecoder();
  const take = (): Key | undefined => {
    if (waiting === '') return undefined;
    if (waiting[0] === '\x1b') {
      const sequence = /^\x1b(\[[0-9;]{0,16}[A-Za-z~]|O[A-Z])/.exec(waiting);
      if (sequence !== null) {
        waiting = waiting.slice(sequence[0].length);
        return ESCAPES[sequence[1] ?? ''] ?? 'unknown';
      }
      if (waiting.length < 20 && /^\x1b(?:\[[0-9;]*|O)?$/.test(waiting)) return undefined;
      waiting = waiting.slice(1);
      return 'unknown';
    }
    const [c = ''] = waiting;
    waiting = waiting.slice(c.length);
    const code = c.charCodeAt(0);
    return code < 32 || code === 127 ? `<${CONTROL[code] ?? 'unknown'}>` : c;
  };
  return async (): Promise<Key | undefined> => {
    for (;;) {
      const key = take();
      if (key !== undefined) return key.length > 2 ? key.replace(/^<(.*)>$/, '$1') : key;
      const chunk = await process.stdin.read(process.signal);
      if (chunk === undefined) return undefined;
      waiting += decoder.decode(chunk, { stream: true });
    }
  };
}

/** A line that is edited on a terminal in raw mode, with history and completion. */
export function createLineEditor(process: Process, terminal: Terminal, shell: Shell): LineEditor {
  const history: string[] = [];
  const nextKey = createKeyReader(process);

  const edit = async (prompt: string): Promise<string | typeof INTERRUPTED | undefined> => {
    let line: string[] = [];
    let cursor = 0;
    let place = history.length;
    let kept: string[] = [];
    let tabs = 0;
    const show = (text: string): void | Promise<void> => process.stdout.write(text);
    const redraw = (): void | Promise<void> => {
      const back = line.length - cursor;
      return show(`\r\x1b[K${prompt}${line.join('')}${back > 0 ? `\x1b[${back}D` : ''}`);
    };
    const recall = (index: number): void | Promise<void> => {
      if (index < 0 || index > history.length) return;
      if (place === history.length) kept = line;
      place = index;
      line = index === history.length ? kept : [...(history[index] ?? '')];
      cursor = line.length;
      return redraw();
    };
    const insert = (text: string): void | Promise<void> => {
      const added = [...text];
      if (line.length + added.length > MAX_LINE) return;
      const atEnd = cursor === line.length;
      line.splice(cursor, 0, ...added);
      cursor += added.length;
      return atEnd ? show(text) : redraw();
    };
    await show(prompt);
    for (;;) {
      const key = await nextKey();
      tabs = key === 'tab' ? tabs + 1 : 0;
      switch (key) {
        case undefined:
          return undefined;
        case 'enter':
          await show('\r\n');
          return line.join('');
        case 'interrupt':
          await show('^C\r\n');
          return INTERRUPTED;
        case 'end-of-file':
          if (line.length === 0) {
            await show('\r\n');
            return undefined;
          }
          if (cursor < line.length) {
            line.splice(cursor, 1);
            await redraw();
          }
          break;
        case 'backspace':
          if (cursor === 0) break;
          line.splice(--cursor, 1);
          await (cursor === line.length ? show('\b \b') : redraw());
          break;
        case 'delete':
          line.splice(cursor, 1);
          await redraw();
          break;
        case 'left':
          if (cursor > 0) {
            cursor--;
            await show('\b');
          }
          break;
        case 'right':
          if (cursor < line.length) {
            cursor++;
            await show('\x1b[C');
          }
          break;
        case 'home':
          cursor = 0;
          await redraw();
          break;
        case 'end':
          cursor = line.length;
          await redraw();
          break;
        case 'kill-to-end':
          line = line.slice(0, cursor);
          await redraw();
          break;
        case 'kill-to-start':
          line = line.slice(cursor);
          cursor = 0;
          await redraw();
          break;
        case 'kill-word': {
          let start = cursor;
          while (start > 0 && line[start - 1] === ' ') start--;
          while (start > 0 && line[start - 1] !== ' ') start--;
          line.splice(start, cursor - start);
          cursor = start;
          await redraw();
          break;
        }
        case 'clear':
          await show('\x1b[H\x1b[2J');
          await redraw();
          break;
        case 'up':
          await recall(place - 1);
          break;
        case 'down':
          await recall(place + 1);
          break;
        case 'tab': {
          const { added, choices } = complete(shell, line.slice(0, cursor).join(''));
          if (added !== '') await insert(added);
          else if (choices.length > 1 && tabs > 1) {
            await show(`\r\n${choices.slice(0, 100).join('  ')}\r\n`);
            await redraw();
          }
          break;
        }
        case 'unknown':
          break;
        default:
          await insert(key);
      }
    }
  };
  return {
    async read(prompt) {
      terminal.setRaw(true);
      const stopWatching = terminal.onResize(() => undefined);
      try {
        const line = await edit(prompt);
        if (line !== undefined && line !== INTERRUPTED && line.trim() !== '' && line !== history.at(-1)) {
          history.push(line);
          if (history.length > MAX_HISTORY) history.shift();
        }
        return line;
      } finally {
        stopWatching();
        terminal.setRaw(false);
      }
    },
  };
}

/** What a tab adds to a line: the name of a command in the first place, else that of a file. */
function complete(shell: Shell, before: string): { added: string; choices: string[] } {
  let start = before.length;
  while (start > 0 && !/[\s;|&<>()]/.test(before.charAt(start - 1))) start--;
  const word = before.slice(start);
  const isCommand = /(?:^|[;|&(])\s*$/.test(
    before.slice(Math.max(0, before.length - word.length - 64), before.length - word.length),
  );
  const slash = word.lastIndexOf('/');
  const base = word.slice(slash + 1);
  const { files, programNames } = shell.process.container;
  let names: string[] = [];
  if (isCommand && slash < 0) names = [...new Set([...programNames(), ...builtins.keys(), ...shell.functions.keys()])];
  else {
    const directory = resolvePath(shell.cwd, slash < 0 ? '.' : word.slice(0, slash + 1));
    if (files.kind(directory) === 'directory' && files.allows(directory, 'read'))
      names = files
        .list(directory)
        .filter(name => base.startsWith('.') || !name.startsWith('.'))
        .map(name => (files.kind(resolvePath(directory, name)) === 'directory' ? `${name}/` : name));
  }
  const choices = names.filter(name => name.startsWith(base)).sort();
  const [first = ''] = choices;
  if (choices.length === 0) return { added: '', choices };
  if (choices.length === 1) return { added: first.slice(base.length) + (first.endsWith('/') ? '' : ' '), choices };
  let common = first.length;
  for (const choice of choices) while (!choice.startsWith(first.slice(0, common))) common--;
  return { added: first.slice(base.length, common), choices };
}

/** A fenced block of a page. */
export interface Block {
  /** Of its first line of text, from 1. */
  readonly line: number;
  /** "sh", "console", "yaml"; empty: it does not say. */
  readonly language: string;
  readonly text: string;
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  for (const [i, line] of page.split('\n').entries()) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) open = { line: i + 2, language: fence[1] ?? '', lines: [] };
    else {
      blocks.push({ line: open.line, language: open.language, text: open.lines.join('\n') });
      open = undefined;
    }
  }
  return blocks;
}

/** A command as a reader types it, and of a transcript what comes out. */
export interface DocumentedCommand {
  readonly line: number;
  /** Without the remark behind it. */
  readonly text: string;
  /** Lines; undefined: nothing is shown. */
  readonly shown?: readonly string[];
}

const HERE_DOCUMENT = /<<-?\s*["']?(\w+)["']?/;

/** Of a block in "sh" every line is a command, of one in "console" those after "$ ". */
export function commandsOf({ line, language, text }: Block): DocumentedCommand[] {
  const commands: { line: number; lines: string[]; shown: string[] }[] = [];
  let end: string | undefined;
  let goesOn = false;
  for (const [i, written] of text.split('\n').entries()) {
    const last = commands.at(-1);
    if (last !== undefined && (end !== undefined || goesOn)) {
      last.lines.push(written);
      if (written === end) end = undefined;
      goesOn = end === undefined && written.endsWith('\\');
      continue;
    }
    if (language === 'console' && !written.startsWith('$ ')) {
      if (written.trim() !== '') last?.shown.push(written);
      continue;
    }
    const command = language === 'console' ? written.slice(2) : written;
    if (command.trim() === '' || command.trim().startsWith('#')) continue;
    commands.push({ line: line + i, lines: [command], shown: [] });
    end = HERE_DOCUMENT.exec(command)?.[1];
    goesOn = end === undefined && command.endsWith('\\');
  }
  return commands.map(({ line: at, lines, shown }) => ({
    line: at,
    text: lines.length === 1 ? withoutRemark(lines[0] ?? '') : lines.join('\n'),
    ...(shown.length === 0 ? {} : { shown }),
  }));
}

const withoutRemark = (command: string): string => command.replace(/ +# .*$/, '').trimEnd();

/**
 * Whether the output is as shown, as a reader would say: every line shown is there, in its order. Words with digits in them stand
 * for others (addresses, names with a hash, ages), and "…" for anything. @returns the first line that is not there
 */
export function missingLine(shown: readonly string[], output: string): string | undefined {
  const lines = output.split('\n');
  let from = 0;
  for (const line of shown) {
    const like = patternOf(line);
    const at = lines.findIndex((found, i) => i >= from && like.test(found));
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}

function patternOf(line: string): RegExp {
  const parts = line.trim().split('…');
  const sources = parts.map(part => part.split(/(\s+)/).map(wordPattern).join(''));
  // What stands for anything stands for nothing, too, and the blanks around it.
  return new RegExp(`^\\s*${sources.join('.*').replaceAll('\\s+.*', '\\s*.*')}\\s*$`);
}

function wordPattern(word: string): string {
  if (word === '') return '';
  if (word.trim() === '') return '\\s+';
  return /\d/.test(word) ? '\\S+' : word.replaceAll(/[$()*+./?[\\\]^{|}-]/g, '\\$&');
}

import type { YAMLError } from 'yaml';

/** Which half of go-yaml complains: the scanner counts lines from 1, the parser from 0; neither mentions line 0. */
type Half = 'scanner' | 'parser';

interface Complaint {
  readonly half: Half;
  readonly text: string;
  /** Where the reader had got to, as an offset; the end of the text is a line of its own for the parser. */
  readonly at: number;
}

const CANNOT_START = 'found character that cannot start any token';
const NO_VALUES = 'mapping values are not allowed in this context';
const NO_COLON = "could not find expected ':'";
const NO_CONTENT = 'did not find expected node content';

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length - 1;

/** The line that the end of the text is on once the scanner has finished the last one. */
const lastLine = (text: string): number => lineOf(text, text.length) + (text.endsWith('\n') ? 0 : 1);

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** Whether a scalar that begins its line does so where an earlier item of the same mapping did. */
function isSibling(text: string, offset: number): boolean {
  const lines = text.slice(0, offset).split('\n');
  const own = lines.pop() ?? '';
  if (own.trim() !== '') return false;
  for (const line of lines.reverse()) {
    if (line.trim() === '' || line.trimStart().startsWith('#') || indentOf(line) > own.length) continue;
    return indentOf(line) === own.length;
  }
  return false;
}

/** A scalar that turned out to be followed by a colon it may not have. */
function strayColon(text: string, from: number): Complaint {
  if (text.startsWith('- ', from)) return { half: 'parser', text: 'did not find expected key', at: from };
  const colon = /:(?=\s|$)/.exec(text.slice(from));
  const at = from + (colon?.index ?? 0);
  return { half: 'scanner', text: isSibling(text, from) ? NO_COLON : NO_VALUES, at };
}

function openFlow(text: string, offset: number, close: string): Complaint {
  const before = text.slice(0, offset).trimEnd().at(-1) ?? '';
  return {
    half: 'parser',
    text: ['{', '[', ',', ':'].includes(before) ? NO_CONTENT : `did not find expected ',' or '${close}'`,
    at: offset,
  };
}

function complaint({ code, message, pos }: YAMLError, text: string): Complaint | undefined {
  const at = pos[0];
  const flow = /^Flow .* end with a ([\]}])/.exec(message);
  if (flow !== null) return openFlow(text, at, flow[1] ?? '');
  switch (code) {
    case 'TAB_AS_INDENT':
    case 'BAD_SCALAR_START':
      return { half: 'scanner', text: CANNOT_START, at };
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return strayColon(text, at);
    case 'BAD_INDENT':
      return { half: 'parser', text: 'did not find expected key', at };
    case 'BAD_DQ_ESCAPE': {
      const digits = /^\\[xuU]/.test(text.slice(at));
      return {
        half: 'scanner',
        text: digits ? 'did not find expected hexdecimal number' : 'found unknown escape character',
        at,
      };
    }
    case 'MISSING_CHAR':
      if (message.startsWith('Missing closing')) return { half: 'scanner', text: 'found unexpected end of stream', at };
      if (message.startsWith('Sequence item'))
        return { half: 'parser', text: "did not find expected '-' indicator", at };
      return { half: 'scanner', text: NO_COLON, at: text.length };
    case 'UNEXPECTED_TOKEN':
      if (message.startsWith('Unexpected block-seq-ind'))
        return { half: 'scanner', text: 'block sequence entries are not allowed in this context', at };
      if (message.startsWith('Unexpected scalar at node end'))
        return { half: 'parser', text: "did not find expected '-' indicator", at };
      return { half: 'parser', text: NO_CONTENT, at };
    default:
      return undefined;
  }
}

/** What go-yaml says about text that this parser cannot read, with the line it names (yaml.v2 decode.go, fail). */
export function goYamlError(error: YAMLError, text: string): string {
  const found = complaint(error, text);
  if (found === undefined) return `yaml: ${error.message.split('\n')[0] ?? ''}`;
  const atEnd = found.at >= text.length;
  const ended = atEnd && (found.half === 'parser' || found.text === NO_COLON);
  const line = ended ? lastLine(text) : lineOf(text, found.at);
  const where = line === 0 ? '' : `line ${found.half === 'scanner' ? line + 1 : line}: `;
  return `yaml: ${where}${found.text}`;
}

/** Characters that go-yaml's reader lets through; the rest are refused before anything is scanned. */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\ufeff]/;

/** go-yaml's refusal of control characters; undefined when there are none. */
export function forbiddenCharacters(text: string): string | undefined {
  const plain = text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '');
  return FORBIDDEN.test(plain) ? 'yaml: control characters are not allowed' : undefined;
}

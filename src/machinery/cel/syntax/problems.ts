import type { Problem } from '../tokens.js';

/** Said of no place in particular. */
export const NOWHERE = -1;

/** As cel-go counts and bounds them (common/errors.go, common/error.go). */
const MAX_PROBLEMS = 100;
const MAX_SNIPPET = 16_384;

/** Where a line begins. */
const startsOf = (source: string): number[] => {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
};

const isWide = (char: string): boolean => char > '\x7f';

/** A line in which there is something wrong, read as far as it has been told about. */
class MarkedLine {
  private readonly shown: string | undefined;
  private read = 0;
  private column = 0;
  private dots = '';

  constructor(
    private readonly line: string,
    readonly start: number,
    private readonly number: number,
  ) {
    this.shown = Buffer.byteLength(line) > MAX_SNIPPET ? undefined : line.replaceAll('\t', ' ');
  }

  /** Offsets of what is told never get smaller. */
  tell({ at, text }: Problem): string {
    const offset = at - this.start;
    for (const char of this.line.slice(this.read, offset)) {
      this.column++;
      if (this.shown !== undefined) this.dots += isWide(char) ? '．' : '.';
    }
    this.read = Math.max(this.read, offset);
    const head = `ERROR: <input>:${this.number}:${this.column + 1}: ${text}`;
    if (this.shown === undefined) return head;
    const mark = isWide(String.fromCodePoint(this.line.codePointAt(offset) ?? 0)) ? '＾' : '^';
    return `${head}\n | ${this.shown}\n | ${this.dots}${mark}`;
  }
}

/** Problems by place, each with the line that it is in, as cel-go prints them. */
export function describeProblems(source: string, problems: readonly Problem[]): string {
  const starts = startsOf(source);
  const kept = problems.slice(0, MAX_PROBLEMS).sort((a, b) => a.at - b.at);
  let number = 0;
  let line: MarkedLine | undefined;
  const told = kept.map(problem => {
    const { at, text } = problem;
    if (at === NOWHERE) return `ERROR: <input>:-1:0: ${text}`;
    if (source === '') return `ERROR: <input>:1:0: ${text}`;
    let start = starts[number] as number;
    for (; (starts[number + 1] ?? Infinity) <= at; start = starts[number] as number) number++;
    if (line?.start !== start)
      line = new MarkedLine(source.slice(start, (starts[number + 1] ?? source.length + 1) - 1), start, number + 1);
    return line.tell(problem);
  });
  const more = problems.length - MAX_PROBLEMS;
  return [...told, ...(more > 0 ? [`${more} more errors were truncated`] : [])].join('\n');
}

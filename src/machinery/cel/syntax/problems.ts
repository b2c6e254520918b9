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

/** Problems by place, each with the line that it is in, as cel-go prints them. */
export function describeProblems(source: string, problems: readonly Problem[]): string {
  const starts = startsOf(source);
  const kept = problems.slice(0, MAX_PROBLEMS).sort((a, b) => a.at - b.at);
  let line = 0;
  const lines = kept.map(problem => {
    while (line + 1 < starts.length && (starts[line + 1] as number) <= problem.at) line++;
    const start = starts[line] as number;
    const end = (starts[line + 1] ?? source.length + 1) - 1;
    return describe(source.slice(start, end), line + 1, problem.at - start, problem, source === '');
  });
  const more = problems.length - MAX_PROBLEMS;
  return [...lines, ...(more > 0 ? [`${more} more errors were truncated`] : [])].join('\n');
}

function describe(line: string, number: number, offset: number, { at, text }: Problem, isEmpty: boolean): string {
  if (at === NOWHERE) return `ERROR: <input>:-1:0: ${text}`;
  if (isEmpty) return `ERROR: <input>:1:0: ${text}`;
  const before = Array.from(line.slice(0, offset));
  const head = `ERROR: <input>:${number}:${before.length + 1}: ${text}`;
  if (Buffer.byteLength(line) > MAX_SNIPPET) return head;
  const dots = before.map(char => (isWide(char) ? '．' : '.')).join('');
  const mark = isWide(String.fromCodePoint(line.codePointAt(offset) ?? 0)) ? '＾' : '^';
  return `${head}\n | ${line.replaceAll('\t', ' ')}\n | ${dots}${mark}`;
}

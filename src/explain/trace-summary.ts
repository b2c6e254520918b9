import type { Reason } from './types.js';
import { endpointOf } from './verdict.js';
import { joinHostPort } from '../machinery/ip.js';
import type { TraceAttempt, TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { endText, printable } from './trace-text.js';
import { percent, wayLines } from './trace-way.js';

/** What a terminal can do. */
export interface Screen {
  readonly colors: boolean;
  /** Columns; undefined: no line is cut. */
  readonly width: number | undefined;
}

const COLORS = { green: 32, red: 31, yellow: 33, gray: 90 } as const;

/** The short form: one line that says how it ended, why if it failed, and the steps that changed something. */
export function summarize(report: TraceReport, reason: Reason | undefined, { colors, width }: Screen): string {
  const paint = (color: keyof typeof COLORS, text: string): string =>
    colors ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
  const fit = (line: string): string =>
    width !== undefined && line.length > width ? `${line.slice(0, Math.max(1, width - 1))}…` : line;
  const failed = report.error !== undefined;
  const word = failed ? paint('red', 'FAILED') : paint('green', 'OK');
  const first = `${endText(report.from)} -> ${report.url}: `;
  const lines = [`${word} ${printable(first + (failed ? (reason?.message ?? report.error) : outcome(report)))}`];
  if (reason !== undefined)
    lines.push(
      ...reason.details.map(detail => `  ${printable(detail)}`),
      paint('yellow', printable(`  to mend it: ${reason.fix}`)),
    );
  const way = [...lookupLines(report), ...wayLines(report.connection?.steps ?? [])];
  const left = Math.max(LEAST_WAY, MAX_LINES - lines.length - 1);
  for (const line of shortened(way, left)) lines.push(fit(printable(line)));
  if (report.attempts !== undefined) lines.push('', ...shares(report.attempts).map(printable).map(fit));
  lines.push(paint('gray', '-v shows every rule, -o json all of it'));
  return `${lines.join('\n')}\n`;
}

/** Of all that is told, but for who answered how often. */
const MAX_LINES = 10;
/** Where it came from, what stopped it and how it ended, whatever else is told. */
const LEAST_WAY = 4;

/** The middle of a long way says least. */
function shortened(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines;
  const head = Math.ceil((most - 1) / 2);
  const tail = most - 1 - head;
  const left = lines.length - head - tail;
  return [...lines.slice(0, head), `         … ${left} more steps`, ...lines.slice(lines.length - tail)];
}

/** How a request ended well. */
function outcome({ reply, datagram, connection }: TraceReport): string {
  const only = connection?.steps.length === 1 ? connection.steps[0] : undefined;
  if (only?.kind === 'netfilter' && reply === undefined && datagram === undefined)
    return `would go to ${joinHostPort(only.out.dst, only.out.dstPort)}, from ${only.out.src} (nothing was sent)`;
  const at = endpointOf(connection?.steps ?? []);
  const who = at === undefined ? '' : ` from ${at}`;
  if (reply !== undefined) return `HTTP ${reply.status}${who}`;
  if (datagram !== undefined)
    return datagram.bytes === 0
      ? `delivered${at === undefined ? '' : ` to ${at}`}, and no answer came`
      : `${datagram.bytes} bytes${who}`;
  return `connected${at === undefined ? '' : ` to ${at}`}`;
}

/** Names of which the answer is the same stand in one line. */
function lookupLines({ lookup }: TraceReport): string[] {
  const names = new Set(lookup.queries.map(({ question }) => question.name));
  const byAnswer = new Map<string, string[]>();
  for (const name of names) {
    const answers = lookup.queries.filter(({ question }) => question.name === name);
    const records = [
      ...new Set(answers.flatMap(answer => answer.records.map(({ type, data }) => `${type} ${data}`))),
    ].join(', ');
    const codes = new Set(answers.map(({ rcode }) => (rcode === 'NOERROR' ? 'no address' : rcode)));
    const answer = records === '' ? [...codes].join(', ') : records;
    byAnswer.set(answer, [...(byAnswer.get(answer) ?? []), name]);
  }
  const silent = new Set(lookup.unanswered.map(({ server }) => server));
  return [
    ...[...byAnswer].map(([answer, asked]) => `dns      ${asked.join(', ')}: ${answer}`),
    ...[...silent].map(server => `dns      ${lookup.name}: no answer from ${server}`),
  ];
}

/** Who answered how often. */
function shares(attempts: readonly TraceAttempt[]): string[] {
  const counts = new Map<string, number>();
  for (const { connection, error } of attempts) {
    const end = error ?? endpointOf(connection.steps) ?? 'nobody';
    counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  return [
    `${attempts.length} requests:`,
    ...[...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([end, n]) => `  ${String(n).padStart(4)}  ${percent(n / attempts.length).padStart(6)}  ${end}`),
  ];
}

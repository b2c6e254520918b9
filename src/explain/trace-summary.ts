import type { NetworkStep } from '../containers/network/types.js';
import type { TraceStep } from '../dataplane/trace.js';
import type { Reason } from './types.js';
import { joinHostPort } from '../machinery/ip.js';
import type { TraceAttempt, TraceReport } from '../nodeagent/kubelet-api/trace-report.js';
import { endText, flowText, originText, printable } from './trace-text.js';

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
  lines.push('', ...lookupLines(report).map(printable).map(fit));
  for (const line of wayLines(report.connection?.steps ?? [])) lines.push(fit(printable(line)));
  if (report.attempts !== undefined) lines.push('', ...shares(report.attempts).map(printable).map(fit));
  lines.push(paint('gray', '-v shows every rule, -o json all of it'));
  return `${lines.join('\n')}\n`;
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

/** "pod default/web-1 (10.244.1.2:80)", where the last packet of the request ended. */
export function endpointOf(steps: readonly NetworkStep[]): string | undefined {
  const end = steps.findLast(step => step.kind === 'deliver');
  if (end?.kind === 'deliver') return `${end.to} (${joinHostPort(end.flow.dst, end.flow.dstPort)})`;
  const route = steps.findLast(step => step.kind === 'route');
  return route?.kind === 'route' ? route.via : undefined;
}

function lookupLines({ lookup }: TraceReport): string[] {
  if (lookup.queries.length === 0 && lookup.unanswered.length === 0) return [];
  const names = new Set(lookup.queries.map(({ question }) => question.name));
  const tried = [...names].map(name => {
    const answers = lookup.queries.filter(({ question }) => question.name === name);
    const records = answers.flatMap(answer => answer.records.map(({ type, data }) => `${type} ${data}`));
    return `dns      ${name}: ${records.length > 0 ? records.join(', ') : [...new Set(answers.map(({ rcode }) => (rcode === 'NOERROR' ? 'no address' : rcode)))].join(', ')}`;
  });
  return [
    ...tried,
    ...lookup.unanswered.map(({ question, server }) => `dns      ${question}: no answer from ${server}`),
  ];
}

/** Only what names an object, or changes or stops the packet; the rest is counted. */
function wayLines(steps: readonly NetworkStep[]): string[] {
  return steps.flatMap(step => {
    switch (step.kind) {
      case 'netfilter': {
        if (step.direction === 'reply') {
          const changed = flowText(step.in) === flowText(step.out) ? '' : `, leaves as ${flowText(step.out)}`;
          return [`reply    ${step.node}: ${flowText(step.in)}${changed}`];
        }
        const telling = step.rules.filter(isTelling);
        const others =
          step.rules.filter(({ kind }) => kind === 'rule').length -
          telling.filter(({ kind }) => kind === 'rule').length;
        return [
          `request  ${step.node}: ${flowText(step.in)}${others > 0 ? ` (and ${others === 1 ? '1 rule that changes' : `${others} rules that change`} nothing)` : ''}`,
          ...telling.map(rule => `           ${ruleLine(rule)}`),
          ...(step.verdict === 'accept' ? [] : [`           ${step.verdict.toUpperCase()}`]),
        ];
      }
      case 'route':
        return [`         ${step.node}: ${step.destination} is ${step.via}`];
      case 'deliver':
        return [`         ${step.node}: delivered to ${step.to}`];
      case 'relay':
        return [`relay    ${step.node}: for Service ${step.service} to ${step.endpoint}, by ${step.why}`];
      case 'fail':
        return [`failed   ${step.node}: ${step.code} ${step.message}`];
      default:
        return step satisfies never;
    }
  });
}

const isTelling = ({ kind, effect, origin }: TraceStep): boolean =>
  kind === 'nat' ||
  kind === 'networkPolicy' ||
  (origin !== undefined && origin.kind !== 'Proxy') ||
  /^(?:dnat|snat|masquerade|redirect|reject|drop)/.test(effect);

/** "nat/KUBE-SERVICES #2: jump KUBE-SVC-… (Service shop/web port 80)" */
function ruleLine({ hook, table, chain, ruleNumber, effect, origin, probability }: TraceStep): string {
  const where = table === undefined ? hook : `${table}/${chain ?? hook}`;
  const number = ruleNumber === undefined ? '' : ` #${ruleNumber}`;
  // Targets are written large, as the tools do.
  const what = effect.replace(/^(?:dnat|snat|masquerade|redirect|reject|drop)\b/, word => word.toUpperCase());
  const whose = origin === undefined || origin.kind === 'Proxy' ? [] : [originText(origin)];
  const chance = probability === undefined ? [] : [`by chance, ${percent(probability)}`];
  const about = [...whose, ...chance].join('; ');
  return `${where}${number}: ${what}${about === '' ? '' : ` (${about})`}`;
}

const percent = (share: number): string => `${(share * 100).toFixed(share * 100 >= 10 ? 0 : 1)} %`;

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

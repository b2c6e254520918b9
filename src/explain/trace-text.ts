import type { Origin, TraceStep } from '../dataplane/trace.js';
import type { DnsQueryTrace, TraceEnd, TraceReport, UnansweredQuery } from '../nodeagent/kubelet-api/trace-report.js';
import type { Flow, NetworkStep } from '../containers/network/types.js';
import type { NameSource } from './names.js';

/** What a request begins with. */
const STARTS = { tcp: 'Connection', udp: 'Datagram', sctp: 'Association' } as const;

export const flowText = (flow: Flow): string =>
  `${flow.proto} ${flow.src}:${flow.srcPort} -> ${flow.dst}:${flow.dstPort}`;

/** "Service default/my-app port 80, endpoint 10.244.1.2:80" */
export const originText = ({ kind, namespace, name, port, endpoint }: Origin): string =>
  [
    `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}${port === undefined ? '' : ` port ${port}`}`,
    ...(endpoint === undefined ? [] : [`endpoint ${endpoint}`]),
  ].join(', ');

function ruleLines(step: TraceStep): string[] {
  const where = step.table === undefined ? step.hook : `${step.table}/${step.chain ?? step.hook}`;
  const number = step.ruleNumber === undefined ? '' : ` #${step.ruleNumber}`;
  const lines = [`${where}${number}: ${step.effect}`];
  if (step.rule !== undefined) lines.push(`    ${step.rule}`);
  if (step.origin !== undefined && step.origin.kind !== 'Proxy')
    lines.push(`    because of ${originText(step.origin)}`);
  return lines;
}

function stepLines(step: NetworkStep): string[] {
  switch (step.kind) {
    case 'netfilter': {
      const changed = flowText(step.in) === flowText(step.out) ? [] : [`  leaves as ${flowText(step.out)}`];
      return [
        `${step.node}, ${step.direction}: ${flowText(step.in)}`,
        ...step.rules.flatMap(ruleLines).map(line => `  ${line}`),
        ...changed,
        ...(step.verdict === 'accept' ? [] : [`  ${step.verdict.toUpperCase()}`]),
      ];
    }
    case 'route':
      return [`${step.node}, route: ${step.destination} via ${step.via}`];
    case 'deliver':
      return [`${step.node}, delivered to ${step.to}: ${flowText(step.flow)}`];
    case 'relay':
      return [`${step.node}, relays for Service ${step.service}: to ${step.endpoint}, by ${step.why}`];
    case 'fail':
      return [`${step.node}, failed: ${step.code} ${step.message}`];
  }
}

function queryLines(query: DnsQueryTrace, withSteps: boolean): string[] {
  const records = query.records.map(record => `${record.type} ${record.data}`).join(', ');
  return [
    `${query.question.type} ${query.question.name} at ${query.server}: ${query.rcode}${records === '' ? '' : `, ${records}`}`,
    ...(withSteps ? query.steps.flatMap(stepLines).map(line => `  ${line}`) : []),
  ];
}

const unansweredLines = ({ question, server, error, steps }: UnansweredQuery, withSteps: boolean): string[] => [
  `${question}: no answer from ${server}: ${error}`,
  ...(withSteps ? steps.flatMap(stepLines).map(line => `  ${line}`) : []),
];

/** What a Pod answers may hold anything; a terminal must not obey it. */
export function printable(text: string): string {
  let safe = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const control = (code < 32 && char !== '\n' && char !== '\t') || (code >= 127 && code < 160);
    safe += control ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  }
  return safe;
}

const section = (number: number, title: string, lines: readonly string[]): string =>
  [`${number}. ${title}`, ...lines.map(line => `   ${line}`)].join('\n');

export interface TraceTextOptions {
  /** Also how each query crossed the rules. */
  readonly dns: boolean;
  readonly sources: readonly NameSource[];
}

/** A query of each type of a name, and below the last what the name stands for. */
function lookupLines({ queries }: TraceReport['lookup'], { dns, sources }: TraceTextOptions): string[] {
  return queries.flatMap((query, i) => {
    const { name } = query.question;
    const last = queries[i + 1]?.question.name !== name;
    const source = last ? sources.find(known => known.name === name) : undefined;
    return [...queryLines(query, dns), ...(source === undefined ? [] : [`    ${source.text}`])];
  });
}

/** Why a name of the cluster cannot be found by a Pod that does not look for it in the cluster. */
function policyLines({ failure, search, clusterDomain, dnsPolicy, nameservers }: TraceReport['lookup']): string[] {
  if (failure === undefined || search.some(domain => domain.endsWith(clusterDomain))) return [];
  const servers = nameservers.length === 0 ? 'nobody' : nameservers.join(' ');
  return [
    `no name of the search path is in ${clusterDomain}, and ${servers} is asked: the Pod's dnsPolicy is ${dnsPolicy}; cluster names need ClusterFirst, with hostNetwork ClusterFirstWithHostNet`,
  ];
}

/** "default/client (10.244.1.2 on node-1)" */
export function endText(from: TraceEnd): string {
  const addresses = from.addresses.join(', ');
  switch (from.kind) {
    case 'pod':
      return `${from.namespace}/${from.name} (${addresses} on ${from.node})`;
    case 'node':
      return `node ${from.name} (${addresses})`;
    case 'outside':
      return `${addresses}, outside, by ${from.node}`;
  }
}

/** A report for people: numbered sections, one line a step, the rule and the object behind it below. */
export function formatTrace(report: TraceReport, options: TraceTextOptions): string {
  const { lookup, connection, reply, datagram } = report;
  const sections = [`${endText(report.from)} requests ${report.url}`];
  const add = (title: string, lines: readonly string[]): void =>
    void sections.push(section(sections.length, title, lines));
  const answer =
    lookup.addresses.length === 0
      ? `no address (${lookup.failure ?? 'none'})`
      : `${lookup.canonicalName} is ${lookup.addresses.join(', ')}`;
  add(`Name lookup: ${lookup.name}`, [
    ...(lookup.queries.length === 0
      ? []
      : [`search ${lookup.search.join(' ')}; ndots ${lookup.ndots}; nameserver ${lookup.nameservers.join(' ')}`]),
    ...lookupLines(lookup, options),
    ...lookup.unanswered.flatMap(query => unansweredLines(query, options.dns)),
    lookup.fromHosts ? `${answer}, from /etc/hosts` : answer,
    ...policyLines(lookup),
  ]);
  if (connection !== undefined) {
    const { protocol, to, steps } = connection;
    add(`${STARTS[protocol]} to ${to.address}:${to.port}`, steps.flatMap(stepLines));
    if (connection.error !== undefined) add('Failed', [`${connection.error.code}: ${connection.error.message}`]);
  }
  if (reply !== undefined)
    add(
      `Answer: HTTP ${reply.status}${reply.contentType === '' ? '' : `, ${reply.contentType}`}`,
      reply.body.trimEnd().split('\n'),
    );
  if (datagram !== undefined)
    add(datagram.bytes === 0 ? 'Delivered; no answer came' : `Answer: ${datagram.bytes} bytes`, []);
  if (connection === undefined && report.error !== undefined) add('Failed', [report.error]);
  return printable(`${sections.join('\n\n')}\n`);
}

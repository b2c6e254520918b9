import type { Head, Step } from './types.js';

/** What makes a text comparable with that of another run. */
export interface Known {
  /** Texts of this run and what stands for them, in the order of replacement. */
  readonly literals: (readonly [text: string, placeholder: string])[];
  /** What looks as if it changed from run to run, but is in the script itself. */
  readonly inputs: ReadonlySet<string>;
}

/** Letters and digits of generated names. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';
const RANDOM_SUFFIX = new RegExp(`-[${SAFE}]{5}(?![\\w-])`, 'g');
const TEMPLATE_HASH = /(?<=[-\s="/(])[456789bcdf]{8,10}(?![\w.-])/g;
const NODE_PORT = /(?<![\w.-])3[0-2]\d{3}(?![\w.-])/g;
const MINUTE = /-\d{8}(?!\d)/g;
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const AGE = /(?<![^\s(])(?<!\bfor )\d+(?:\.\d+)?(?:s|m|h|d|y)(?:\d+(?:s|m|h|d))?(?=[\s),]|$)/g;
const MILLI = /(?<![\w.-])\d{3,}m(?![\w.-])/g;
const UID = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const MANAGED_FIELDS = /^( +)managedFields:\n((?:\1[- ] .*\n?|\1- .*\n?)+)/gm;

export function inputsOf(head: Head, steps: readonly Step[]): Set<string> {
  const given = [head.manifests, steps.map(({ run, stdin, env, http }) => ({ run, stdin, env, http }))];
  const text = JSON.stringify(given);
  const looks = [IPV4, NODE_PORT, TIME, TEMPLATE_HASH, RANDOM_SUFFIX, MINUTE, MILLI];
  return new Set(looks.flatMap(look => [...text.matchAll(look)].map(match => match[0])));
}

/** Entries of managedFields in YAML, in an order that does not depend on when they were written. */
const sortedEntries = (_: string, indent: string, body: string): string =>
  `${indent}managedFields:\n${`${body.replace(/\n$/, '')}\n`
    .split(new RegExp(`^(?=${indent}- )`, 'm'))
    .sort()
    .join('')}`;

export function normalize(text: string, { literals, inputs }: Known): string {
  const unless = (placeholder: string, ...kept: readonly string[]): ((found: string) => string) => {
    return found => (inputs.has(found) || kept.includes(found) ? found : placeholder);
  };
  let result = text.replaceAll('\r\n', '\n');
  for (const [from, to] of literals) if (from !== '') result = result.replaceAll(from, () => to);
  result = result
    .replace(/^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ ([\w./-]+):\d+\]/gm, '$1 [$2]')
    .replace(/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g, '<pem>')
    .replace(/LS0tLS1CRUdJTi[A-Za-z0-9+/=]+/g, '<pem64>')
    .replace(/kubectl\/v\d+\.\d+\.\d+[\w.+-]*/g, 'kubectl/<version>')
    .replace(/eyJ2Ijoi[\w-]+/g, '<continue>')
    .replace(/eyJ[\w-]{10,}\.[\w-]+\.[\w-]+/g, '<jwt>')
    .replace(/\/(LIVE|MERGED)-\d+/g, '/$1-<n>')
    .replace(/(kubectl[\w.-]*-edit)-\d+/g, 'kubectl-edit-<n>')
    .replace(MANAGED_FIELDS, sortedEntries)
    .replace(UID, '<uid>')
    .replace(TIME, unless('<time>'))
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4}( UTC)?/g, '<time>')
    .replace(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<time>')
    .replace(/(resourceVersion\\?"?\s*[:=]\s*)\\?"?\d+\\?"?/gi, '$1"<rv>"')
    .replace(/(Resource Version: +)\d+/g, '$1<rv>')
    .replace(/("storageVersionHash": ?)"[^"]*"/g, '$1"<hash>"')
    .replace(IPV4, unless('<ip>', '127.0.0.1', '0.0.0.0'))
    .replace(NODE_PORT, port => (Number(port) > 32767 ? port : unless('<nodeport>')(port)))
    .replace(new RegExp(`-[456789bcdf]{6,10}-[${SAFE}]{5}(?![\\w-])`, 'g'), '-<hash>-<rand>')
    .replace(/(pod-template-hash\\?"?[=:]\s*)(\\?"?)[a-z0-9]+\2/g, '$1$2<hash>$2')
    .replace(TEMPLATE_HASH, unless('<hash>'))
    .replace(RANDOM_SUFFIX, unless('-<rand>'))
    .replace(MINUTE, unless('-<minute>'))
    .replace(AGE, unless('<age>'));
  // Columns are as wide as their widest cell.
  const line = (raw: string): string =>
    raw
      .trimEnd()
      .replace(/(\S)[ \t]{2,}/g, '$1  ')
      .replace(/(\S)\t/g, '$1  ');
  return result.split('\n').map(line).join('\n').replace(/\n+$/, '\n');
}

/** Keys and types of values. */
const outline = (value: unknown): unknown => {
  if (Array.isArray(value)) return '[]';
  if (typeof value !== 'object' || value === null) return typeof value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, outline(inner)]));
};

const lines = (text: string, keep: (line: string) => boolean): string[] => text.split('\n').filter(keep);
const joined = (list: readonly string[]): string => list.map(line => `${line}\n`).join('');

/** What of an output is compared. */
export function comparable(step: Step, stream: 'stdout' | 'stderr', text: string, known: Known): string {
  let shown = normalize(text, known);
  if (stream === 'stdout' && step.filter === 'explain') {
    const heading = /^(GROUP|KIND|VERSION|RESOURCE|FIELD):/;
    shown = `${lines(shown, line => heading.test(line) || /^\s+[\w$-]+\s*<[^>]*>+/.test(line)).join('\n')}\n`;
  }
  if (stream === 'stdout' && step.filter === 'jsonkeys')
    shown = `${JSON.stringify(outline(JSON.parse(text)), undefined, 1)}\n`;
  const pattern = stream === 'stdout' ? step.grep : step.grepStderr;
  if (pattern !== undefined) {
    const wanted = new RegExp(pattern);
    shown = joined(lines(shown, line => line !== '' && wanted.test(line)));
  }
  if (stream === 'stdout' && step.sort === true) shown = joined(lines(shown, line => line !== '').sort());
  return shown;
}

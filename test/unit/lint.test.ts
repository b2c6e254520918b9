import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/root.js';

/* A rule that finds nothing may be asleep: each that the house relies on finds what it is for. */

interface Row {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly expect: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'an expression that backtracks',
    file: 'src/dns/backtracks.ts',
    text: 'export const a = /(a+)+$/;',
    expect: 'regexp(no-super-linear-backtracking)',
  },
  {
    name: 'an expression that is tried from every place',
    file: 'src/dns/moves.ts',
    text: 'export const a = /a+b/;',
    expect: 'regexp(no-super-linear-move)',
  },
  {
    name: "an expression of somebody's text",
    file: 'src/dns/expression.ts',
    text: 'export const a = (text: string): RegExp => new RegExp(text);',
    expect: 'kubette(constant-regexp)',
  },
  {
    name: 'bare time',
    file: 'src/dns/now.ts',
    text: 'export const a = Date.now();',
    expect: 'kubette(given-time-and-chance)',
  },
  {
    name: 'a bare date',
    file: 'src/dns/date.ts',
    text: 'export const a = new Date();',
    expect: 'kubette(given-time-and-chance)',
  },
  {
    name: 'a bare timer',
    file: 'src/dns/timer.ts',
    text: 'export const a = setTimeout(() => undefined, 1);',
    expect: 'kubette(given-time-and-chance)',
  },
  {
    name: 'bare timers',
    file: 'src/dns/timers.ts',
    text: "import { setTimeout as sleep } from 'node:timers/promises';\nexport const a = sleep;",
    expect: 'kubette(given-time-and-chance)',
  },
  {
    name: 'bare chance',
    file: 'src/dns/chance.ts',
    text: 'export const a = Math.random;',
    expect: 'kubette(given-time-and-chance)',
  },
  {
    name: 'a list as arguments',
    file: 'src/api/list.ts',
    text: 'export const a = (to: string[], list: string[]): number => to.push(...list);',
    expect: 'kubette(no-list-as-arguments)',
  },
  {
    name: 'a name of a package that is loaded when it is needed',
    file: 'src/dns/package.ts',
    text: "export const a = async (): Promise<unknown> => {\n  const { decode } = await import('dns-packet');\n  return decode;\n};",
    expect: 'kubette(default-of-package)',
  },
  { name: 'a default export', file: 'src/dns/default.ts', text: 'export default 1;', expect: 'kubette(named-exports)' },
  {
    name: 'a promise that nobody waits for',
    file: 'src/dns/promise.ts',
    text: 'export const a = (): void => {\n  Promise.resolve(1);\n};',
    expect: 'typescript(no-floating-promises)',
  },
  {
    name: 'a case that is missing',
    file: 'src/dns/case.ts',
    text: "export function a(of: 'a' | 'b'): void {\n  switch (of) {\n    case 'a':\n  }\n}",
    expect: 'typescript(switch-exhaustiveness-check)',
  },
  {
    name: 'what has no type',
    file: 'src/dns/any.ts',
    text: "export const a = (JSON.parse('1') as { b: any }).b.c;",
    expect: 'typescript(no-unsafe-member-access)',
  },
  {
    name: 'an error that is swallowed',
    file: 'src/dns/empty.ts',
    text: 'export function a(): void {\n  try {\n    a();\n  } catch {}\n}',
    expect: 'eslint(no-empty)',
  },
  {
    name: 'an object as text',
    file: 'src/dns/text.ts',
    text: 'export const a = (b: { c: string }): string => `${b}`;',
    expect: 'typescript(restrict-template-expressions)',
  },
  {
    name: 'a method without its object',
    file: 'src/dns/method.ts',
    text: 'class A {\n  b(): this {\n    return this;\n  }\n}\nexport const { b } = new A();',
    expect: 'typescript(unbound-method)',
  },
];

const folder = mkdtempSync(join(tmpdir(), 'kubette-lint-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
for (const { file, text } of ROWS) {
  mkdirSync(join(folder, dirname(file)), { recursive: true });
  writeFileSync(join(folder, file), `${text}\n`);
}
for (const file of ['tsconfig.json', '.oxlintrc.json', 'test/lint'])
  cpSync(join(ROOT, file), join(folder, file), { recursive: true });
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
const { stdout, stderr } = spawnSync(
  join(ROOT, 'node_modules/.bin/oxlint'),
  ['--type-aware', '--format', 'json', 'src'],
  { cwd: folder, encoding: 'utf8' },
);
const { diagnostics = [] } = JSON.parse(stdout === '' ? '{}' : stdout) as {
  diagnostics?: { readonly code: string; readonly filename: string }[];
};
t.not(diagnostics.length, 0, stderr);
for (const { name, file, expect } of ROWS)
  t.test(name, t => {
    const found = diagnostics.filter(({ filename }) => filename === file).map(({ code }) => code);
    t.ok(found.includes(expect), `${expect}, among ${found.join(', ')}`);
    t.end();
  });

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { alignColumns, asMarkdown, asTable } from './print.js';
import { withConnection } from './pool.js';
import { measure, type Measured } from './suite.js';
import type { Scenario } from './scenario.js';
import type { Target } from './target.js';

export interface Output {
  /** Files to write besides what is printed. */
  readonly json?: string | undefined;
  readonly markdown?: string | undefined;
}

async function versionOf({ server }: Target): Promise<string> {
  const { gitVersion } = await withConnection(server.endpoint, connection =>
    connection.json<{ gitVersion: string }>({ path: '/version' }),
  );
  return gitVersion;
}

/** Measures the scenarios of all targets, says on standard error where it is, and stops the targets. */
export async function runSuite(
  scenarios: readonly Scenario[],
  targets: readonly Target[],
  output: Output,
): Promise<void> {
  const names = targets.map(({ name }) => name);
  const measured: Measured[] = [];
  const versions = Object.fromEntries(await Promise.all(targets.map(async t => [t.name, await versionOf(t)] as const)));
  const begun = performance.now();
  // What there is, also where a row has failed or somebody has had enough.
  const printed = (): void => {
    const table = asTable(measured, names);
    process.stdout.write(alignColumns(table));
    process.stdout.write('* who made the load had most of a core: the server may do more\n');
    const [{ model = '' } = {}, ...more] = cpus();
    const about = { date: new Date().toISOString(), cpus: 1 + more.length, model, node: process.version, versions };
    if (output.json !== undefined)
      writeFileSync(output.json, `${JSON.stringify({ ...about, rows: measured }, undefined, 2)}\n`);
    if (output.markdown !== undefined) writeFileSync(output.markdown, asMarkdown(table));
  };
  const interrupted = (): never => {
    printed();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted);
  try {
    for (const scenario of scenarios) {
      process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${scenario.name}\n`);
      measured.push(...(await measure(scenario, targets)));
    }
  } finally {
    printed();
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted);
    for (const { server } of targets) await server.stop();
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandsOf, debuggingCluster, steady } from '../../../support/debugging-page.js';
import { ROOT } from '../../../support/root.js';

t.test('the page of debugging says what the programs print', async t => {
  const commands = commandsOf(readFileSync(join(ROOT, 'docs/debugging.md'), 'utf8'));
  t.ok(commands.length > 15, 'it has commands');
  const cluster = await debuggingCluster();
  for (const command of commands) t.equal(steady(await cluster.run(command)), steady(command.output), command.command);
  cluster.close();
});

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openTerminal } from '../support/terminal.js';
import { KUBETTE, run } from '../support/up.js';

t.setTimeout(180_000);

/** Up as somebody sees it who types it. */
t.test('up at a terminal: ticks, what to type next, what happens, and Ctrl-C', async t => {
  const home = mkdtempSync(join(tmpdir(), 'kubette-terminal-'));
  const dataDir = join(home, 'data');
  const env = { HOME: home, XDG_STATE_HOME: join(home, 'state') };
  const command = `'${process.execPath}' '${KUBETTE}' up -v --nodes 1 --secure-port 0 --data-dir '${dataDir}'`;
  const terminal = openTerminal(command, { rows: 40, columns: 120 }, env);
  if (terminal === undefined) {
    console.error('NOT TESTED: up at a terminal, because neither script nor python3 is here');
    return void t.pass('a terminal', { skip: 'nothing here makes one' });
  }
  t.teardown(() => {
    terminal.kill();
    rmSync(home, { recursive: true, force: true });
  });

  const started = await terminal.shows(/kubectl get pods -o wide/);
  for (const part of ['API server', 'node-1', 'DNS', 'controllers'])
    t.ok(started.includes(`\u001b[32m✓\u001b[0m ${part}`), `a green tick for ${part}`);
  t.match(started, /ready in \d+ ms; connect with\r\n/);
  const typed = [...started.matchAll(/\u001b\[1m(.*?)\u001b\[0m/g)].map(match => match[1] ?? '');
  t.same(typed, [
    `export KUBECONFIG=${join(dataDir, 'kubeconfig')}`,
    'kubectl create deployment web --image=nginx --replicas=2',
    'kubectl get pods -o wide',
  ]);

  // What it says to type is typed.
  for (const line of typed) {
    const { code, stderr } = await run('sh', ['-c', `${typed[0] ?? ''}; ${line}`], { env });
    t.equal(code, 0, `${line}: ${stderr}`);
  }
  t.match(
    await terminal.shows(/Deployment default\/web: 2 of 2 available\r\n/),
    /pod\/default\/web-\S+ Scheduled to node-1\r\n/,
  );

  terminal.type('\u0003');
  const ended = await terminal.shows(/removes it\r\n/);
  t.match(ended, /stopping\r\n/);
  t.ok(ended.includes(`stopped; state kept in ${dataDir}, "kubette delete --data-dir ${dataDir}" removes it`), ended);
  t.equal(await terminal.ended, 0);
  t.equal((await run(process.execPath, [KUBETTE, 'delete', '--data-dir', dataDir], { env })).code, 0);
  t.notOk(existsSync(dataDir));
});

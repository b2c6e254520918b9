import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runChurn } from '../torture/churn/run.js';
import { THOROUGH } from '../support/share.js';

/** The short form of `make torture`, for the processes beside the API server. */
t.setTimeout(900_000);

t.test('kill -9 and SIGSTOP of controllers, agents and DNS: it comes to what an undisturbed run does', async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-torture-'));
  const { problems, figures } = await runChurn({ seed: 7, milliseconds: THOROUGH ? 10_000 : 6_000, pace: 4, dataDir });
  t.same(problems, []);
  t.ok((figures['lines compared'] ?? 0) > 20, JSON.stringify(figures));
  t.ok(
    Object.keys(figures).some(what => /^(?:kill|stop) /.test(what)),
    JSON.stringify(figures),
  );
});

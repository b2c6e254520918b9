import t from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { SILENT } from '../../../../src/machinery/logger.js';
import { keepEncryptionReloaded } from '../../../../src/server/encryption/reload.js';
import { contentHash, createReloadMetrics, serverIdentity } from '../../../../src/server/encryption/reload-metrics.js';
import { until } from '../../../support/until.js';

const file = (secret: string): string => `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aescbc: { keys: [{ name: a, secret: ${secret} }] }
`;
const FIRST = file(Buffer.alloc(32, 1).toString('base64'));
const SECOND = file(Buffer.alloc(32, 2).toString('base64'));

t.test('a file is looked at every minute, and used when it has changed and is right', async t => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  const ending = new AbortController();
  const metrics = createReloadMetrics(clock, 'apiserver-x');
  const lines = (): string[] =>
    metrics.families
      .flatMap(family => family.render().split('\n'))
      .filter(line => line !== '' && !line.startsWith('#'));
  let read = (): Promise<string> => Promise.resolve(FIRST);
  let looks = 0;
  let refusal: Error | undefined;
  let used = 0;
  const running = keepEncryptionReloaded({
    file: { path: 'enc.yaml', content: FIRST, read: () => (looks++, read()) },
    clock,
    log: SILENT,
    metrics,
    signal: ending.signal,
    use: () => (refusal === undefined ? Promise.resolve(void used++) : Promise.reject(refusal)),
  });
  const look = async (what: () => Promise<string>): Promise<void> => {
    read = what;
    const before = looks;
    await clock.advance(60_000);
    await until('looked', () => looks > before);
    await clock.advance(0);
  };
  const id = `apiserver_id_hash="${contentHash('apiserver-x')}"`;
  const info = (content: string): string =>
    `apiserver_encryption_config_controller_last_config_info{${id},hash="${contentHash(content)}"} 1`;
  const total = (status: string): string =>
    `apiserver_encryption_config_controller_automatic_reloads_total{${id},status="${status}"}`;

  await look(() => Promise.resolve(FIRST));
  t.strictSame(lines(), [info(FIRST)], 'the same is nothing new');
  for (const [name, wrong] of [
    ['not there', () => Promise.reject(new Error('ENOENT'))],
    ['empty', () => Promise.resolve('')],
    ['a key that is too short', () => Promise.resolve(file('YQ=='))],
  ] as const) {
    const before = lines().find(line => line.startsWith(total('failure')));
    await look(wrong);
    await until(name, () => lines().find(line => line.startsWith(total('failure'))) !== before);
    t.ok(lines().includes(info(FIRST)), `${name}: what was there stays`);
  }
  t.equal(used, 0);
  refusal = new Error('the store does not answer');
  await look(() => Promise.resolve(SECOND));
  t.ok(lines().includes(info(FIRST)), 'not in use before everything was looked at again');
  refusal = undefined;
  await look(() => Promise.resolve(SECOND));
  await until('in use', () => lines().includes(info(SECOND)));
  t.equal(used, 1);
  t.ok(lines().includes(`${total('success')} 1`));
  const time = lines().find(line => line.includes('timestamp') && line.includes('success'));
  t.equal(Number(time?.split(' ')[1]) > Date.parse('2026-01-01T00:00:00Z') / 1000, true, 'when');
  ending.abort();
  await running;
});

t.test('a server is named for its host', t => {
  t.match(serverIdentity('a'), /^apiserver-[a-z2-7]{26}$/);
  t.equal(serverIdentity(''), 'apiserver-4oymiquy7qobjgx36tejs35zeq', 'base32 of the first half of sha256');
  t.end();
});

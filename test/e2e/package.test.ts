import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { KUBERNETES_VERSION } from '../../src/machinery/kubernetes-version.js';
import { NPM, pack } from '../support/pack.js';
import { openTerminal } from '../support/terminal.js';
import { freePort, ROOT, run, type Finished } from '../support/up.js';

t.setTimeout(240_000);

const readJson = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'));

/** Whose modules the maps name: packages as "/node_modules/@scope/name/". */
function joinedPackages(files: readonly string[]): Set<string> {
  const sources = files
    .filter(file => /^build\/dist\/.*\.map$/.test(file))
    .flatMap(file => (readJson(ROOT, file) as { sources: string[] }).sources);
  return new Set(sources.flatMap(source => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []));
}

if (spawnSync('npm', ['--version']).status !== 0) t.plan(0, 'SKIPPED: there is no npm');
else {
  const base = mkdtempSync(join(tmpdir(), 'kubette-package-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  const packed = pack(base);
  const files = packed.files.map(file => file.path);
  const home = join(base, 'empty');
  const env = { ...NPM, npm_config_offline: 'true' };
  const inHome = (command: string, ...args: string[]): Promise<Finished> =>
    run(command, args, { cwd: home, env, timeoutMs: 120_000 });

  t.test('it holds what is needed to run, of the newest build, and the terms', async t => {
    const [newest = []] = readJson(ROOT, 'build/dist/builds.json') as string[][];
    t.same(
      files.filter(file => file.startsWith('build/dist/')).sort(),
      newest.map(file => `build/dist/${file}`).sort(),
    );
    const others = files.filter(
      file => !/^(build\/(dist|generated|types)|api-schemas|docs|examples|node_modules)\//.test(file),
    );
    t.same(others.sort(), [
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'NOTICE',
      'README.md',
      'package.json',
      'src/cmd/envtest/bin/etcd',
      'src/cmd/envtest/bin/kube-apiserver',
      'src/cmd/envtest/bin/kubectl',
    ]);
    for (const file of ['build/generated/openapi/hashes.json', 'api-schemas/index.json'])
      t.ok(files.includes(file), file);
  });

  t.test('NOTICE is that of this build, and names everybody whose modules are in it', async t => {
    const [file, built] = [join(ROOT, 'NOTICE'), readFileSync(join(ROOT, 'build/NOTICE'), 'utf8')];
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (committed !== built) writeFileSync(file, built);
    t.ok(
      committed === built,
      'what is bundled has changed: NOTICE is written anew, look at the difference and commit it',
    );
    const names = joinedPackages(files);
    t.ok(names.has('fastify') && names.has('@noble/ciphers') && names.has('pino'), 'the maps name packages');
    for (const name of names) {
      const { version, license } = readJson(ROOT, 'node_modules', name, 'package.json') as Record<string, string>;
      // Another version of it may lie deeper.
      t.match(built, new RegExp(`^  ${name} [\\d.]+, ${license}\n    \\S`, 'm'), `${name} ${version}`);
    }
  });

  t.test('it is installed into an empty folder: without a registry, without a warning, and alone', async t => {
    mkdirSync(home);
    writeFileSync(join(home, 'package.json'), '{ "private": true }');
    const { code, stdout, stderr } = await inHome('npm', 'install', join(base, packed.filename));
    t.equal(code, 0);
    t.equal(stderr, '', 'no warning');
    t.match(stdout, /added 1 package in/);
    const { packages } = readJson(home, 'node_modules/.package-lock.json') as { packages: Record<string, object> };
    const outside = Object.keys(packages).filter(name => !name.startsWith('node_modules/kubette/'));
    t.same(outside, ['node_modules/kubette']);
    const inside = Object.keys(packages).map(name => name.replace('node_modules/kubette/node_modules/', ''));
    t.ok(inside.includes('classic-level'));
    t.same(
      inside.filter(name => /kubernetes|fastify|ajv|^pino|^level$/.test(name)),
      [],
      'what is bundled is there once',
    );
  });

  t.test('its version, and that of Kubernetes', async t => {
    const { version } = readJson(ROOT, 'package.json') as { version: string };
    for (const args of [['--version'], ['-V'], ['version']])
      t.match(
        await inHome('npx', 'kubette', ...args),
        { code: 0, stdout: `kubette ${version} (Kubernetes v${KUBERNETES_VERSION})\n`, stderr: '' },
        args.join(' '),
      );
  });

  t.test('npx kubette up: ready, kubectl sees its node, Ctrl-C ends everything', async t => {
    const dataDir = join(home, 'state');
    const flags = `--nodes 1 --secure-port ${await freePort()} --data-dir ${dataDir} --logging-format json --v info`;
    const terminal = openTerminal(
      `sh -c 'cd ${home} && exec npx kubette up ${flags}'`,
      { rows: 40, columns: 200 },
      env,
    );
    if (terminal === undefined) return t.comment('SKIPPED: neither script nor python3 makes a terminal here');
    t.teardown(() => terminal.kill());
    /** By what they are: command line and PID. */
    const processes = async (): Promise<Map<string, number>> => {
      const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
      const lines = [...stdout.matchAll(/^ *(\d+) \S*node \S*kubette\S* (\S+) (.*)$/gm)];
      return new Map(lines.flatMap(([, pid, name = '', args]) => (args?.includes(home) ? [[name, Number(pid)]] : [])));
    };
    await terminal.shows(/ready in \d+ ms/);
    const kubectl = ['--kubeconfig', join(dataDir, 'kubeconfig'), 'get', 'nodes', '--no-headers'];
    t.match(await inHome('kubectl', ...kubectl), { code: 0, stdout: /^node-1 +Ready / });
    const running = await processes();
    t.same([...running.keys()].sort(), ['apiserver', 'controller-manager', 'dns', 'node-agent', 'up']);
    // One that starts anew says so, in JSON as asked: what writes that is in the package, too.
    process.kill(running.get('dns') ?? NaN, 'SIGKILL');
    const line = /\{"level":30,.*"name":"dns".*"msg":"listening"\}/;
    t.match(JSON.parse(line.exec(await terminal.shows(line))?.[0] ?? '') as unknown, { dnsPort: Number });
    terminal.type('\x03');
    await terminal.shows(/stopping/);
    await terminal.ended;
    t.same(await processes(), new Map());
    t.ok(existsSync(dataDir), 'its store is kept');
  });

  t.test('what envtest starts is there', async t => {
    const { stdout } = await inHome('npx', 'kubette', 'envtest');
    t.match(await inHome(join(stdout.trim(), 'kube-apiserver'), '--version'), {
      code: 0,
      stdout: `Kubernetes v${KUBERNETES_VERSION}+kubette\n`,
    });
  });
}

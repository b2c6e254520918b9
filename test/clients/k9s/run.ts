import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, run } from '../../support/up.js';

/*
 * k9s as somebody uses it, in a terminal multiplexer: it is typed to, and what stands on its screen is read. A line for each thing
 * proved; exit code 1 at the first that fails. Its first argument is the program.
 */
const [k9s = 'k9s'] = process.argv.slice(2);
const kubeconfig = process.env['KUBECONFIG'];
if (kubeconfig === undefined) throw new Error('KUBECONFIG is not set');
const home = mkdtempSync(join(tmpdir(), 'kubette-k9s-'));
const SOCKET = `kubette-k9s-${process.pid}`;

const kubectl = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run('kubectl', args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
};
const tmux = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run('tmux', ['-L', SOCKET, '-f', '/dev/null', ...args]);
  if (code !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
  return stdout;
};
const type = (...keys: string[]): Promise<string> => tmux('send-keys', '-t', 'k9s', ...keys);
const shows = async (what: string, pattern: RegExp): Promise<void> => {
  await eventually(
    what,
    () => tmux('capture-pane', '-p', '-t', 'k9s'),
    screen => pattern.test(screen),
    60_000,
  );
  console.log(`ok ${what}`);
};
/** What is typed too soon after Escape is taken for a key with Alt. */
const back = async (): Promise<void> => {
  await type('Escape');
  await shows('Escape leads back to the Pods', /─ Pods\(k9s\)/i);
};

try {
  await kubectl('create', 'namespace', 'k9s');
  await kubectl('-n', 'k9s', 'create', 'deployment', 'web', '--image=nginx', '--replicas=2');
  await kubectl('-n', 'k9s', 'expose', 'deployment', 'web', '--port=80');
  await kubectl('-n', 'k9s', 'rollout', 'status', 'deployment/web');
  // Its files, logs and all, stay in a folder of their own.
  const command = `env HOME='${home}' XDG_CONFIG_HOME='${home}' XDG_STATE_HOME='${home}' XDG_DATA_HOME='${home}' XDG_CACHE_HOME='${home}' TERM=screen-256color '${k9s}' --kubeconfig '${kubeconfig}' -n k9s -c pods`;
  await tmux('new-session', '-d', '-s', 'k9s', '-x', '180', '-y', '50', command);
  await shows('Pods are listed as Running, with the metrics of the metrics API', /web-\S+ .*1\/1 .*Running/);
  await shows('the head names context, cluster and the version that is played', /K8s Rev: *v1\.35/);
  await type('d');
  await shows('a Pod is described', /Describe\(k9s\/web-\S+\)[^]*Name: +web-/);
  await back();
  await type('y');
  await shows('its YAML is shown', /apiVersion: v1/);
  await back();
  await type(':', 'services', 'Enter');
  await shows('Services are listed', /web +\S* *ClusterIP +10\.96\./);
  await type(':', 'deployments', 'Enter');
  await shows('Deployments are listed', /web +\S* *2\/2/);
  await type('s');
  await shows('it asks how many there are to be', /Replicas: *2/);
  await type('BSpace', '3', 'Tab', 'Enter');
  await eventually(
    'three replicas',
    () => kubectl('-n', 'k9s', 'get', 'deployment', 'web', '-o', 'jsonpath={.status.readyReplicas}'),
    replicas => replicas === '3',
    60_000,
  );
  await shows('a Deployment that was scaled there has its replicas', /web +\S* *3\/3/);
  await type(':', 'pods', 'Enter');
  await shows('the new Pod comes by the watch', /web-\S+[^]*web-\S+[^]*web-\S+ .*Running/);
  await type('l');
  await shows('logs are followed', /Logs\(k9s\/web-/);
  await back();
  await type('s');
  await shows('a shell is opened in a container', /[#$] *$/m);
  await type('echo it is $((40 + 2))', 'Enter');
  await shows('and answers', /it is 42/);
  await type('exit', 'Enter');
  await shows('back among the Pods', /web-\S+ .*Running/);
  await type(':', 'q', 'Enter');
  await eventually(
    'it has ended',
    async () => (await run('tmux', ['-L', SOCKET, 'has-session', '-t', 'k9s'])).code,
    code => code !== 0,
    60_000,
  );
  console.log('ok it ends when it is told to');
} finally {
  await run('tmux', ['-L', SOCKET, 'kill-server']);
  await run('kubectl', ['delete', 'namespace', 'k9s', '--wait=false']);
  rmSync(home, { recursive: true, force: true });
}

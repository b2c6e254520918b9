import { execFileSync } from 'node:child_process';

/** Whoever asks for clusters finds this one in $KUBECONFIG. */
const kubectl = (...args) => execFileSync('kubectl', args, { encoding: 'utf8' });

test('the web is there', () => {
  expect(kubectl('get', 'nodes', '-o', 'name')).toBe('node/node-1\n');
  expect(kubectl('rollout', 'status', 'deployment/web')).toContain('successfully rolled out');
});

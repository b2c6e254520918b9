import type { Command } from 'commander';

/**
 * Subcommands by name. Only the chosen one is loaded, and each file holds only its flags: what it runs is imported in
 * its action. All are loaded to print help.
 */
export const COMMANDS: Readonly<Record<string, () => Promise<{ register(program: Command): void }>>> = {
  up: () => import('./up.js'),
  down: () => import('./down.js'),
  status: () => import('./status.js'),
  list: () => import('./list.js'),
  logs: () => import('./logs.js'),
  node: () => import('./node.js'),
  kubeconfig: () => import('./kubeconfig.js'),
  delete: () => import('./delete.js'),
  store: () => import('./store.js'),
  apiserver: () => import('./apiserver.js'),
  'controller-manager': () => import('./controller-manager.js'),
  'node-agent': () => import('./node-agent.js'),
  dns: () => import('./dns.js'),
  publish: () => import('./publish.js'),
  why: () => import('./why.js'),
  trace: () => import('./trace.js'),
  rules: () => import('./rules.js'),
  images: () => import('./images.js'),
  'test-server': () => import('./test-server.js'),
  envtest: () => import('./envtest.js'),
  completion: () => import('./completion.js'),
  version: () => import('./version.js'),
};

export async function registerAll(program: Command): Promise<void> {
  for (const load of Object.values(COMMANDS)) (await load()).register(program);
}

import { readFileSync } from 'node:fs';
import { packageFolder } from '../api/api-schemas.js';
import { KUBERNETES_VERSION } from '../machinery/kubernetes-version.js';
import type { Command } from 'commander';

/** Its own version, and that of the Kubernetes that it plays. */
export function versionText(): string {
  const { version } = JSON.parse(readFileSync(packageFolder('package.json'), 'utf8')) as { version: string };
  return `kubette ${version} (Kubernetes v${KUBERNETES_VERSION})`;
}

/** `kubette version`, which is also asked for as `--version` and `-V`. */
export function register(program: Command): void {
  program
    .command('version')
    .description('print the version of this program and of the Kubernetes that it plays')
    .action(() => void process.stdout.write(`${versionText()}\n`));
}

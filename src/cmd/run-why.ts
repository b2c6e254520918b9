import { loadKubeConfig } from '../client/kubeconfig.js';
import { createClient } from '../client/rest-client.js';
import { kubeconfigFile } from './process.js';
import { whyOf } from './why-of.js';
import { parseWhat } from './why-target.js';
import { verdictText } from './why-text.js';

/** Prints why something does not work. Exit code 0: it works, 1: it does not, 2: nobody knows. */
export async function runWhy(what: string, flags: Readonly<Record<string, string | boolean>>): Promise<void> {
  const text = (name: string): string | undefined => {
    const value = flags[name];
    return typeof value === 'string' ? value : undefined;
  };
  try {
    const target = parseWhat(what);
    const config = await loadKubeConfig(kubeconfigFile(flags['kubeconfig']));
    const client = createClient(config, 'kubette-why');
    try {
      const from = text('from');
      const namespace = text('namespace') ?? config.namespace;
      const verdict = await whyOf(client, target, { namespace, ...(from === undefined ? {} : { from }) });
      process.stdout.write(
        flags['json'] === true ? `${JSON.stringify(verdict, undefined, 2)}\n` : verdictText(verdict),
      );
      process.exitCode = verdict.works ? 0 : 1;
    } finally {
      client.close();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`kubette why: ${message.split('\n')[0] ?? ''}\n`);
    process.exitCode = 2;
  }
}

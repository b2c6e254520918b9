import { packageFolder } from '../../api/api-schemas.js';
import { fail, FlagError } from '../process.js';

/** Prints the folder, or plays one of the programs in it. */
export async function runEnvtest(name: string | undefined, args: readonly string[]): Promise<void> {
  try {
    switch (name) {
      case undefined:
        process.stdout.write(`${packageFolder('src/cmd/envtest/bin')}\n`);
        return;
      case 'kube-apiserver':
        return await (await import('./run-kube-apiserver.js')).runKubeApiServer(args);
      case 'etcd':
        return await (await import('./run-etcd.js')).runEtcd(args);
      default:
        throw new FlagError(
          `there is no ${JSON.stringify(name)}; want kube-apiserver, etcd, or nothing for their folder`,
        );
    }
  } catch (error) {
    fail(name ?? 'envtest', error);
  }
}

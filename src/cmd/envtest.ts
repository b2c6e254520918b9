import type { Command } from 'commander';

/** `kubette envtest`: where test kits find kube-apiserver, etcd and kubectl. Its arguments are how those files call back. */
export function register(program: Command): void {
  program
    .command('envtest')
    .description(
      'print the folder for KUBEBUILDER_ASSETS: kube-apiserver, etcd and kubectl for envtest and kits like it',
    )
    .argument('[program]', 'kube-apiserver or etcd: plays it, with its own flags (what the files of the folder do)')
    .argument('[flags...]', 'flags of the program')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (name: string | undefined, args: readonly string[]) => {
      const { runEnvtest } = await import('./envtest/run-envtest.js');
      await runEnvtest(name, args);
    });
}

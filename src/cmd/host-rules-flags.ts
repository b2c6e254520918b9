import { realClock } from '../machinery/clock.js';
import { type Family, familyOf } from '../machinery/ip.js';
import { createHostRules, HOST_MODES, type HostRules, isHostMode } from '../nodeagent/proxy/host-rules/host-rules.js';
import { createRunCommand, type RunCommand } from '../nodeagent/proxy/host-rules/run-command.js';
import { FlagError, invalidArgument } from './process.js';

export interface HostRulesFlags {
  readonly apply: string;
  readonly netns: string;
  readonly mode: string;
  readonly nodeIPs: readonly string[];
}

/** A name of `ip netns` is that of a file, and no option. */
const isNamespaceName = (name: string): boolean =>
  !name.includes('/') && !name.includes('\0') && !name.startsWith('-') && name !== '.' && name !== '..';

/**
 * The real kernel of --apply kernel, checked for what it needs; undefined without that flag.
 * @throws FlagError when it cannot be used
 */
export async function hostRulesFrom(
  { apply, netns, mode, nodeIPs }: HostRulesFlags,
  run: RunCommand = createRunCommand(realClock),
): Promise<((family: Family) => HostRules | undefined) | undefined> {
  if (apply === '') {
    if (netns !== '') throw new FlagError('--netns needs --apply kernel');
    return undefined;
  }
  if (apply !== 'kernel') throw invalidArgument('apply', apply, 'there is kernel');
  if (!isNamespaceName(netns)) throw invalidArgument('netns', netns, 'want a name of ip netns');
  if (!isHostMode(mode))
    throw new FlagError(`--apply kernel does not load rules of ${mode} mode: there are ${HOST_MODES.join(', ')}`);
  const families = [...new Set(nodeIPs.flatMap(address => familyOf(address) ?? []))];
  const kernels = new Map(
    families.map(family => [family, createHostRules({ family, mode, run, ...(netns === '' ? {} : { netns }) })]),
  );
  for (const [, rules] of kernels)
    await rules.check().catch((error: unknown) => {
      throw new FlagError(`--apply kernel: ${(error as Error).message.split('\n')[0] ?? ''}`);
    });
  return family => kernels.get(family);
}

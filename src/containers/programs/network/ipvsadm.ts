import type { Kernel } from '../../../dataplane/kernel/types.js';
import { ipvsadmListLines } from '../../../dataplane/tools/ipvsadm/print-list.js';
import { ipvsadmSaveLines } from '../../../dataplane/tools/ipvsadm/print-save.js';
import { ipvsadmStatisticsLines } from '../../../dataplane/tools/ipvsadm/print-statistics.js';
import type { Program } from '../../process.js';
import { parseOptions } from '../options.js';
import { createEmptyKernel } from '../../../dataplane/kernel/empty-kernel.js';
import { printLines, rulesProgram } from './node-rules.js';
import { NotSimulated } from './stack-of.js';

/** ipvsadm [-L [-n] [--stats]] [-S]: of both families, IPv4 first. */
export const ipvsadm: Program = rulesProgram(
  () =>
    "Can't initialize ipvs: Permission denied (you must be root)\nAre you sure that IP Virtual Server is built in the kernel or as module?",
  255,
  async (process, kernels) => {
    const { has } = parseOptions(process.args.slice(1), {
      short: 'LlnSAEDadeCRZc',
      long: {
        list: 'L',
        numeric: 'n',
        save: 'S',
        stats: 'stats',
        rate: 'rate',
        timeout: 'timeout',
        connection: 'c',
        sort: 'sort',
        exact: 'exact',
      },
    });
    const unknown = [...'AEDadeCRZc', 'rate', 'timeout'].find(has);
    if (unknown !== undefined) throw new NotSimulated(`ipvsadm ${unknown.length > 1 ? '--' : '-'}${unknown}`);
    const lines = (kernel: Kernel): Iterable<string> =>
      has('S') ? ipvsadmSaveLines(kernel) : has('stats') ? ipvsadmStatisticsLines(kernel) : ipvsadmListLines(kernel);
    const first = kernels('IPv4') ?? createEmptyKernel('IPv4', process.container.clock);
    await printLines(process, lines(first));
    const second = kernels('IPv6');
    // The head is printed once.
    if (second !== undefined && second.ipvs.virtualServers().length > 0)
      await printLines(process, has('S') ? lines(second) : behindHead(lines(second)));
    return 0;
  },
);

const HEAD_LINES = 3;

function* behindHead(lines: Iterable<string>): Generator<string> {
  let at = 0;
  for (const line of lines) if (at++ >= HEAD_LINES) yield line;
}

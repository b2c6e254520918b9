import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { parseIpsetSave } from '../../../src/dataplane/tools/ipset/parse-save.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';
import { RECORDED, RULES, SET_RULE } from '../../support/recorded-rules.js';
import { execute } from '../../support/simulated-container.js';
import { stillNetwork } from '../../support/still-stack.js';

function loadedKernel() {
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('10.0.0.1') });
  const created = RECORDED.find(([command]) => command === 'ipset list')?.[1] ?? '';
  const seeds = [...created.matchAll(/initval (\S+)/g)].map(([, seed = '']) => seed);
  const inet = (at: number): string =>
    `family inet hashsize 1024 maxelem 65536 bucketsize 12 initval ${seeds[at] ?? ''}`;
  const sets = `create KUBE-X hash:ip,port ${inet(0)}\ncreate KUBE-P bitmap:port range 0-65535\ncreate KUBE-N hash:ip,port,net ${inet(1)}\ncreate KUBE-I hash:ip ${inet(2)}\nadd KUBE-X 10.0.0.1,tcp:80\nadd KUBE-P 80\n`;
  kernel.load({
    kind: 'ipvs',
    family: 'IPv4',
    full: true,
    virtualServers: [],
    goneServers: [],
    ipsets: parseIpsetSave(sets, 'IPv4'),
    addresses: { link: 'kube-ipvs0', add: [], remove: [] },
    sysctls: {},
    xtables: undefined,
  });
  restore(kernel, RULES);
  restore(kernel, SET_RULE, { noflush: true });
  return kernel;
}

t.test('rules are listed as the real tools list them', async t => {
  const fixture = { network: stillNetwork({ kernel: loadedKernel() }), image: 'netshoot', privileged: true };
  for (const [command, output] of RECORDED)
    t.equal((await execute(['sh', '-c', command], fixture)).stdout, output, command);
});

const ROWS: readonly {
  readonly name: string;
  readonly script: string;
  readonly privileged?: boolean;
  readonly stdout?: string;
  readonly stderr: string;
  readonly exit: number;
}[] = [
  {
    name: 'without NET_ADMIN iptables has nothing to say',
    script: 'iptables -L -n',
    stderr:
      'iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n',
    exit: 4,
  },
  {
    name: 'nor has nft',
    script: 'nft list ruleset',
    stderr:
      'Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted\n',
    exit: 1,
  },
  {
    name: 'nor ipvsadm',
    script: 'ipvsadm -Ln',
    stderr:
      "Can't initialize ipvs: Permission denied (you must be root)\nAre you sure that IP Virtual Server is built in the kernel or as module?\n",
    exit: 255,
  },
  {
    name: 'nor conntrack',
    script: 'conntrack -L',
    stderr:
      'conntrack v1.4.7 (conntrack-tools): Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this\n',
    exit: 1,
  },
  {
    name: 'nor ipset',
    script: 'ipset list',
    stderr: 'ipset v7.17: Kernel error received: Operation not permitted\n',
    exit: 1,
  },
  {
    name: 'a chain that is not there',
    script: 'iptables -S NOPE',
    privileged: true,
    stderr: "iptables v1.8.9 (nf_tables): chain `NOPE' in table `filter' is incompatible, use 'nft' tool.\n",
    exit: 1,
  },
  {
    name: 'a table that there is not',
    script: 'iptables -t nope -L',
    privileged: true,
    stderr:
      "iptables v1.8.9 (nf_tables): table 'nope' does not exist\nPerhaps iptables or your kernel needs to be upgraded.\n",
    exit: 3,
  },
  {
    name: 'no command',
    script: 'iptables',
    privileged: true,
    stderr:
      "iptables v1.8.9 (nf_tables): no command specified\nTry `iptables -h' or 'iptables --help' for more information.\n",
    exit: 2,
  },
  {
    name: 'a change',
    script: 'iptables -F',
    privileged: true,
    stderr: 'iptables: not simulated here: rules that are changed by hand (iptables -F)\n',
    exit: 1,
  },
  {
    name: 'a set that is not there',
    script: 'ipset list NOPE',
    privileged: true,
    stderr: 'ipset v7.17: The set with the given name does not exist\n',
    exit: 1,
  },
  {
    name: 'an nftables table that is not there',
    script: 'nft list table ip nope',
    privileged: true,
    stderr: 'Error: No such file or directory\nlist table ip nope\n              ^^^^\n',
    exit: 1,
  },
  {
    name: 'no flows',
    script: 'conntrack -L',
    privileged: true,
    stderr: 'conntrack v1.4.7 (conntrack-tools): 0 flow entries have been shown.\n',
    exit: 0,
  },
  {
    name: 'the tables of a Pod are empty',
    script: 'ip6tables -S',
    privileged: true,
    stdout: '-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n',
    stderr: '',
    exit: 0,
  },
];

t.test('what the tools of rules say where there is nothing, or not for everybody', async t => {
  const network = stillNetwork({ kernel: loadedKernel() });
  for (const { name, script, privileged = false, stdout = '', stderr, exit } of ROWS)
    t.same(
      await execute(['sh', '-c', script], { network, image: 'netshoot', privileged }),
      { stdout, stderr, exit },
      name,
    );
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { flagsOfProxyConfig } from '../../../src/cmd/proxy-config.js';
import { proxySettingsFrom } from '../../../src/cmd/proxy-flags.js';

const HEAD = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';
const OTHERS = { ipvsScheduler: 'rr', ipvsStrictArp: false, udpTimeoutMs: 250 };
const FLAGS = { detectLocalMode: 'NodeCIDR', iptablesLocalhostNodeports: 'true', iptablesMasqueradeBit: '14' };
const DEFAULTS = {
  masqueradeAll: false,
  masqueradeBit: 14,
  localhostNodePorts: true,
  conntrackTCPLiberal: false,
  ...OTHERS,
};

t.test('a KubeProxyConfiguration says what the flags say', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-config-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'config');
  for (const { name, input, expect } of [
    { name: 'nothing', input: '', expect: { mode: 'iptables', ...DEFAULTS } },
    {
      name: 'what kubeadm writes',
      input: 'mode: ""\nclusterCIDR: 10.244.0.0/16\nclientConnection:\n  qps: 5\niptables:\n  masqueradeBit: 12\n',
      expect: {
        mode: 'iptables',
        ...DEFAULTS,
        masqueradeBit: 12,
        detectLocal: { kind: 'clusterCidr', cidrs: ['10.244.0.0/16'] },
      },
    },
    {
      name: 'the section of the mode counts',
      input:
        'mode: nftables\nnftables: {masqueradeAll: true, masqueradeBit: 9}\niptables: {masqueradeBit: 3}\ndetectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: veth}\nnodePortAddresses: [10.0.0.0/8, primary]\nconntrack: {tcpBeLiberal: true}\n',
      expect: {
        mode: 'nftables',
        masqueradeAll: true,
        masqueradeBit: 9,
        localhostNodePorts: true,
        conntrackTCPLiberal: true,
        ...OTHERS,
        nodePortAddresses: ['10.0.0.0/8', 'primary'],
        detectLocal: { kind: 'interfaceNamePrefix', prefix: 'veth' },
      },
    },
    {
      name: 'userspace mode has no section of its own',
      input: 'mode: userspace\nportRange: 40000+99\nudpIdleTimeout: 1s\niptables: {masqueradeBit: 3}\n',
      expect: {
        mode: 'userspace',
        ...DEFAULTS,
        masqueradeBit: 3,
        proxyPortRange: { first: 40_000, last: 40_099 },
        udpTimeoutMs: 1000,
      },
    },
  ]) {
    writeFileSync(file, HEAD + input);
    t.same(proxySettingsFrom(await flagsOfProxyConfig(file)), expect, name);
  }
  for (const { input, message } of [
    { input: 'a: [', message: /is no YAML/ },
    {
      input: 'kind: KubeletConfiguration\n',
      message: /is no KubeProxyConfiguration of kubeproxy\.config\.k8s\.io\/v1alpha1/,
    },
    { input: '', message: /is no KubeProxyConfiguration/ },
  ]) {
    writeFileSync(file, input);
    await t.rejects(flagsOfProxyConfig(file), { name: 'FlagError', message });
  }
  for (const text of ['x', '5-4', '1-70000', '65000+999', '1-2-3'])
    t.throws(
      () => proxySettingsFrom({ proxyMode: 'userspace', ...FLAGS, proxyPortRange: text }),
      { name: 'FlagError' },
      text,
    );
  await t.rejects(flagsOfProxyConfig(join(folder, 'none')), { message: /--proxy-config: ENOENT/ });
});

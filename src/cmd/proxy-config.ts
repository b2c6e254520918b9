import { readFile } from 'node:fs/promises';
import { FlagError } from './process.js';
import type { Flags } from './proxy-flags.js';

const API_VERSION = 'kubeproxy.config.k8s.io/v1alpha1';
const KIND = 'KubeProxyConfiguration';
const SECTIONS = ['iptables', 'ipvs', 'nftables'];

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A KubeProxyConfiguration as the flags that say the same; what it does not name has its default, whatever the flags say,
 * as with kube-proxy --config. Fields of what is not simulated here (client connections, limits of conntrack, Windows) have
 * no effect.
 * @throws FlagError when the file is none
 */
export async function flagsOfProxyConfig(file: string): Promise<Flags> {
  const { default: yaml } = await import('yaml');
  const read = (): unknown => yaml.parse(text);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new FlagError(`--proxy-config: ${(error as Error).message}`);
  });
  const config = parsed(read, file);
  const mode = texts(config, 'mode') ?? 'iptables';
  // Sections have the same fields; a mode without one has used that of iptables.
  const own = section(config, SECTIONS.includes(mode) ? mode : 'iptables');
  const detect = section(config, 'detectLocal');
  const addresses = config['nodePortAddresses'];
  const flags: Record<string, string | boolean | undefined> = {
    proxyMode: mode,
    clusterCidr: texts(config, 'clusterCIDR') ?? '',
    detectLocalMode: texts(config, 'detectLocalMode') ?? 'ClusterCIDR',
    podBridgeInterface: texts(detect, 'bridgeInterface'),
    podInterfaceNamePrefix: texts(detect, 'interfaceNamePrefix'),
    masqueradeAll: own['masqueradeAll'] === true,
    iptablesMasqueradeBit: numberText(own, 'masqueradeBit') ?? '14',
    nodeportAddresses: Array.isArray(addresses) ? addresses.join(',') : undefined,
    iptablesLocalhostNodeports: section(config, 'iptables')['localhostNodePorts'] === false ? 'false' : 'true',
    ipvsScheduler: texts(section(config, 'ipvs'), 'scheduler'),
    ipvsStrictArp: section(config, 'ipvs')['strictARP'] === true,
    proxyPortRange: texts(config, 'portRange'),
    udpTimeout: texts(config, 'udpIdleTimeout'),
    conntrackTcpBeLiberal: section(config, 'conntrack')['tcpBeLiberal'] === true,
    minSyncPeriod: texts(own, 'minSyncPeriod'),
    syncPeriod: texts(own, 'syncPeriod'),
  };
  return Object.fromEntries(
    Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function parsed(read: () => unknown, file: string): Fields {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    throw new FlagError(`--proxy-config: ${file} is no YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
  if (isObject(value) && value['apiVersion'] === API_VERSION && value['kind'] === KIND) return value;
  throw new FlagError(`--proxy-config: ${file} is no ${KIND} of ${API_VERSION}`);
}

const section = (config: Fields, name: string): Fields => {
  const value = config[name];
  return isObject(value) ? value : {};
};

const numberText = (config: Fields, name: string): string | undefined => {
  const value = config[name];
  return typeof value === 'number' ? String(value) : undefined;
};

const texts = (config: Fields, name: string): string | undefined => {
  const value = config[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

import type { Hook } from '../../trace.js';
import type { TableName } from './rule.js';

/** In the order in which iptables-nft lists them. */
export const TABLES: readonly TableName[] = ['mangle', 'raw', 'filter', 'nat'];

export const BUILTIN_CHAINS: Readonly<Record<TableName, readonly string[]>> = {
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
};

export const BUILTIN_CHAIN_OF: Readonly<Record<Hook, string>> = {
  prerouting: 'PREROUTING',
  input: 'INPUT',
  forward: 'FORWARD',
  output: 'OUTPUT',
  postrouting: 'POSTROUTING',
};

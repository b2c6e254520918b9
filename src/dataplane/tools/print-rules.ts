import type { Kernel } from '../kernel/types.js';
import type { TableName } from '../kernel/xtables/rule.js';
import { printIpsetSave } from './ipset/print-save.js';
import { printSave } from './iptables/print-save.js';
import { printIpvsadmList } from './ipvsadm/print-list.js';
import { printIpvsadmSave } from './ipvsadm/print-save.js';
import { printNftJson } from './nft/json/print-ruleset.js';
import { printNftList } from './nft/print-list.js';

export interface PrintOptions {
  /** Of iptables' only that one. */
  readonly table?: TableName;
  /** Those of iptables' rules. */
  readonly counters?: boolean;
}

const PRINTERS = {
  'iptables-save': (kernel: Kernel, options: PrintOptions) => printSave(kernel, options),
  nft: printNftList,
  'nft-json': printNftJson,
  'ipvsadm-save': printIpvsadmSave,
  'ipvsadm-list': printIpvsadmList,
  'ipset-save': printIpsetSave,
} as const;

/** What a kernel's rules can be printed as: by the tool whose output it is. */
export type TextFormat = keyof typeof PRINTERS;
export const TEXT_FORMATS = Object.keys(PRINTERS) as readonly TextFormat[];
export const isTextFormat = (text: string): text is TextFormat => (TEXT_FORMATS as readonly string[]).includes(text);

export const printRules = (kernel: Kernel, format: TextFormat, options: PrintOptions = {}): string =>
  PRINTERS[format](kernel, options);

/** What the tool of the mode that filled the kernel lists. */
export function formatOf({ nftables, ipvs }: Kernel): TextFormat {
  if (nftables.tables().length > 0) return 'nft';
  return ipvs.virtualServers().length > 0 ? 'ipvsadm-save' : 'iptables-save';
}

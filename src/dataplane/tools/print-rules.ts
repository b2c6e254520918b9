import type { Kernel } from '../kernel/types.js';
import type { TableName } from '../kernel/xtables/rule.js';
import { ipsetSaveLines } from './ipset/print-save.js';
import { saveLines } from './iptables/print-save.js';
import { ipvsadmListLines } from './ipvsadm/print-list.js';
import { ipvsadmSaveLines } from './ipvsadm/print-save.js';
import { nftJsonParts } from './nft/json/print-ruleset.js';
import { nftListParts } from './nft/print-list.js';

export interface PrintOptions {
  /** Of iptables' only that one. */
  readonly table?: TableName;
  /** Those of iptables' rules. */
  readonly counters?: boolean;
}

const PRINTERS = {
  'iptables-save': (kernel: Kernel, options: PrintOptions) => saveLines(kernel, options),
  nft: nftListParts,
  'nft-json': nftJsonParts,
  'ipvsadm-save': ipvsadmSaveLines,
  'ipvsadm-list': ipvsadmListLines,
  'ipset-save': ipsetSaveLines,
} as const;

/** What a kernel's rules can be printed as: by the tool whose output it is. */
export type TextFormat = keyof typeof PRINTERS;
export const TEXT_FORMATS = Object.keys(PRINTERS) as readonly TextFormat[];
export const isTextFormat = (text: string): text is TextFormat => (TEXT_FORMATS as readonly string[]).includes(text);

/** In pieces of a few lines: whoever prints may rest between them, and begins anew when the kernel was loaded meanwhile. */
export const ruleParts = (kernel: Kernel, format: TextFormat, options: PrintOptions = {}): Iterable<string> =>
  PRINTERS[format](kernel, options);

export const printRules = (kernel: Kernel, format: TextFormat, options: PrintOptions = {}): string =>
  [...ruleParts(kernel, format, options)].join('');

/** What the tool of the mode that filled the kernel lists. */
export function formatOf({ nftables, ipvs }: Kernel): TextFormat {
  if (nftables.tables().length > 0) return 'nft';
  return ipvs.virtualServers().length > 0 ? 'ipvsadm-save' : 'iptables-save';
}

import type { Json } from '../../../../machinery/types.js';
import type { NftBase } from '../../../kernel/nftables/rule.js';

/** Where a chain hangs, if it does. */
export const baseJson = (base: NftBase | undefined): { [key: string]: Json } =>
  base === undefined ? {} : { type: base.type, hook: base.hook, prio: base.priority, policy: 'accept' };

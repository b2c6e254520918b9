import type { Family } from '../../packet.js';

/** As nft calls a table's family, and the protocol of its addresses. */
export const ipOf = (family: Family): 'ip' | 'ip6' => (family === 'IPv4' ? 'ip' : 'ip6');

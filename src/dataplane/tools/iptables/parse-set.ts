import { canonicalIP } from '../../../machinery/ip.js';
import { NetfilterError } from '../../kernel/errors.js';
import type { SetSide } from '../../kernel/ipset/types.js';
import type { Protocol } from '../../packet.js';
import { protocol } from './parse-protocol.js';
import { expect, type Reader } from './rule-reader.js';

const isSide = (text: string): text is SetSide => text === 'src' || text === 'dst';

/** `-m set --match-set NAME dst,dst` */
export function parseSet(reader: Reader): boolean {
  const invert = expect(reader, '--match-set');
  const set = reader.value('--match-set');
  const sides = reader.value('--match-set').split(',');
  if (!sides.every(isSide) || sides.length > 6)
    throw new NetfilterError(`set: you must spec. "src" or "dst" for each dimension, not "${sides.join(',')}"`);
  reader.matches.push({ kind: 'set', set, sides, ...invert });
  return true;
}

/** `-m ipvs --vaddr ADDRESS --vproto PROTOCOL --vport PORT`, in any order: the form that names one virtual service. */
export function parseIpvs(reader: Reader): boolean {
  let address: string | undefined;
  let l4: Protocol | undefined;
  let port: number | undefined;
  for (let next = reader.peek(); next?.startsWith('--v') === true; next = reader.peek()) {
    reader.next();
    const text = reader.value(next);
    if (next === '--vaddr') address = canonicalIP(text.replace(/\/(32|128)$/, ''));
    else if (next === '--vproto') l4 = transport(text);
    else if (next === '--vport' && /^\d{1,5}$/.test(text)) port = Number(text);
    else throw new NetfilterError(`ipvs: ${next} ${text} is not simulated`);
  }
  if (address === undefined || l4 === undefined || port === undefined)
    throw new NetfilterError('ipvs: only --vaddr, --vproto and --vport together are simulated');
  reader.matches.push({ kind: 'ipvs', address, protocol: l4, port });
  return true;
}

function transport(text: string): Protocol {
  const known = protocol(text);
  if (known === 'tcp' || known === 'udp' || known === 'sctp') return known;
  throw new NetfilterError(`ipvs: no virtual service of protocol ${known}`);
}

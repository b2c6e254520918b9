import { NetfilterError } from '../../kernel/errors.js';
import { SCHEDULERS, type SchedulerName } from '../../kernel/ipvs/types.js';
import type { Family } from '../../packet.js';
import { parseAddressPort } from '../address-port.js';

const NUMBER = /^\d{1,9}$/;

/** IP_VS_SVC_F_PERSISTENT without seconds. */
const DEFAULT_PERSISTENCE = '300';
/** ipvsadm's MAX_TIMEOUT: 31 days. */
const MAX_PERSISTENCE = 86_400 * 31;

/** @throws NetfilterError with `message` when it is none of the numbers from `least` to `most` */
export function numberOf(text: string, least: number, most: number, message: string): number {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) throw new NetfilterError(`${message}: ${text}`);
  return value;
}

/** A service on port 0 takes all ports, which is not simulated. @throws NetfilterError with `message` */
export function endOf(text: string, family: Family, message: string): { address: string; port: number } {
  const end = parseAddressPort(text, family);
  if (end === undefined) throw new NetfilterError(`${message}: ${text}`);
  return end;
}

/** @throws NetfilterError */
export function schedulerOf(name: string): SchedulerName {
  const known = SCHEDULERS.find(scheduler => scheduler === name);
  if (known === undefined) throw new NetfilterError(`Scheduler or persistence engine not found: ${name}`);
  return known;
}

/** @throws NetfilterError */
export const persistence = (text: string): number =>
  numberOf(text === '' ? DEFAULT_PERSISTENCE : text, 1, MAX_PERSISTENCE, 'illegal timeout specified');

/** Whether the flags are the scheduler's own for the port. @throws NetfilterError for any other */
export function hashesPort(flags: string, scheduler: SchedulerName): true {
  if ((scheduler !== 'sh' && scheduler !== 'mh') || flags !== `${scheduler}-port`)
    throw new NetfilterError(`the flags ${flags} of scheduler ${scheduler} are not simulated`);
  return true;
}

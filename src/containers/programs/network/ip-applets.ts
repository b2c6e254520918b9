import type { Program } from '../../process.js';
import { busyboxIp } from './ip.js';

/** BusyBox's other names for "ip OBJECT". */
const applet =
  (object: string): Program =>
  process =>
    busyboxIp({ ...process, args: ['ip', object, ...process.args.slice(1)] });

export const ipaddr = applet('address');
export const iplink = applet('link');
export const ipneigh = applet('neighbour');
export const iproute = applet('route');
export const iprule = applet('rule');

import type { Clock } from '../../machinery/clock.js';
import type { Family } from '../packet.js';
import { createKernel } from './kernel.js';
import { createRouteTable } from './routes.js';
import type { Kernel } from './types.js';

/** The tables of a network namespace into which nobody has put anything: a Pod's. */
export const createEmptyKernel = (family: Family, clock: Clock): Kernel =>
  createKernel({ clock, random: () => 0, routes: createRouteTable(family) });

import { foldAddress } from './fold-address.js';
import { hsiphash } from './siphash.js';
import { canServe, type Destination, type Scheduler, type SchedulerOptions } from './types.js';

/** Of CONFIG_IP_VS_MH_TAB_INDEX=12. A prime, so that every step through the table comes to every place. */
const TABLE_SIZE = 4093;
/** The kernel's, which are no secret. */
const PLACE_KEY = [2654435761n, 2654435761n] as const;
const STEP_KEY = [2654446892n, 2654446892n] as const;

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

const hashOf = (address: string, port: number, key: readonly [bigint, bigint]): number =>
  hsiphash((foldAddress(address) + port) >>> 0, key);

/** Every server takes the next free place on its own way through the table, as often in a round as its weight says. */
function populate<D extends Destination>(list: readonly D[]): readonly (D | undefined)[] {
  const divisor = list.reduce((sum, { weight }) => (weight > 0 ? gcd(weight, sum) : sum), 0) || 1;
  const ways = list.filter(canServe).map(server => ({
    server,
    place: hashOf(server.address, server.port, PLACE_KEY) % TABLE_SIZE,
    step: (hashOf(server.address, server.port, STEP_KEY) % (TABLE_SIZE - 1)) + 1,
    turns: server.weight / divisor,
  }));
  const table = new Array<D | undefined>(TABLE_SIZE).fill(undefined);
  let left = ways.length === 0 ? 0 : TABLE_SIZE;
  while (left > 0)
    for (const way of ways)
      for (let turn = 0; turn < way.turns && left > 0; turn++) {
        while (table[way.place] !== undefined) way.place = (way.place + way.step) % TABLE_SIZE;
        table[way.place] = way.server;
        left--;
      }
  return table;
}

/** mh: Maglev hashing. When a server goes, few clients of the others go to another one. */
export function maglevHashing<D extends Destination>({ hashesPort }: SchedulerOptions): Scheduler<D> {
  let list: readonly D[] = [];
  let table: readonly (D | undefined)[] | undefined;
  return {
    update(next) {
      list = next;
      table = undefined;
    },
    schedule({ src, srcPort }) {
      table ??= populate(list);
      return table[hashOf(src, hashesPort ? srcPort : 0, PLACE_KEY) % TABLE_SIZE];
    },
  };
}

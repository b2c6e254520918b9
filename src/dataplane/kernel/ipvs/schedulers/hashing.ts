import { foldAddress, hash32 } from './fold-address.js';
import { canServe, type Destination, type Request, type Scheduler, type SchedulerOptions } from './types.js';

const TABLE_BITS = 8;
const TABLE_SIZE = 1 << TABLE_BITS;

/** A table of 256 places dealt to the servers; `turns` says how many places in a row each gets. */
function dealt<D extends Destination>(turns: (one: D) => number, hash: (request: Request) => number): Scheduler<D> {
  let list: readonly D[] = [];
  /** Made when it is first needed: most virtual servers of a large cluster never see a packet. */
  let table: readonly D[] | undefined;

  function deal(): readonly D[] {
    const places: D[] = [];
    for (let at = 0; places.length < TABLE_SIZE && list.length > 0; at = (at + 1) % list.length) {
      const one = list[at];
      if (one === undefined) break;
      for (let i = Math.max(1, turns(one)); i > 0 && places.length < TABLE_SIZE; i--) places.push(one);
    }
    return places;
  }

  return {
    update(next) {
      list = next;
      table = undefined;
    },
    schedule(request) {
      table ??= deal();
      const found = table[hash(request)];
      return found !== undefined && canServe(found) ? found : undefined;
    },
  };
}

/** sh: by the client. Who hashes to a server of weight 0 is refused, as without sh-fallback. */
export const sourceHashing = <D extends Destination>({ hashesPort }: SchedulerOptions): Scheduler<D> =>
  dealt(
    one => one.weight,
    ({ src, srcPort }) => hash32((foldAddress(src) + (hashesPort ? srcPort : 0)) >>> 0, TABLE_BITS),
  );

/** dh: by the destination. */
export const destinationHashing = <D extends Destination>(): Scheduler<D> =>
  dealt(
    () => 1,
    ({ dst }) => hash32(foldAddress(dst), TABLE_BITS),
  );

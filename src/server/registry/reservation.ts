import type { Reservation } from '../../resources/strategy.js';

/** A reservation that is settled once: whatever comes after the first call has no effect. */
export interface Hold {
  settle(keep: boolean): void;
}

export function hold(reservation: Reservation | undefined): Hold {
  let open = reservation;
  return {
    settle(keep) {
      const settling = open;
      open = undefined;
      if (keep) settling?.commit();
      else settling?.rollback();
    },
  };
}

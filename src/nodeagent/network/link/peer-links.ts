import { NetworkError } from '../../../containers/network/errors.js';
import type { SocketAddress } from '../../../containers/network/types.js';
import type { Cable } from '../../../machinery/cable.js';
import type { Clock } from '../../../machinery/clock.js';
import { deadline } from '../../../machinery/deadline.js';
import { joinHostPort } from '../../../machinery/ip.js';
import { dialReal } from '../real-host.js';
import type { WirePacket } from '../wire.js';
import { createDialledLink, type DialledLink, LinkLost, type Opened, type OpenOptions } from './dialled-link.js';
import { WINDOW_BUDGET } from './link.js';

/** The links to other agents, one to each: dialled with the first packet, and again when it is lost. */
export interface PeerLinks {
  /**
   * Hands a packet to another node's agent and waits for what became of it there.
   * @throws NetworkError as the other node's stack answered; EHOSTUNREACH when its agent does not answer
   */
  open(at: SocketAddress, packet: WirePacket, options: OpenOptions): Promise<Opened>;
  /** Ends the links that carry nothing; the others when they do no more. */
  close(): void;
}

/** Nobody waits longer for another machine's agent than for a packet of TCP. */
const DIAL_MS = 127_000;

interface Slot {
  link: DialledLink | undefined;
  dialling: Promise<DialledLink> | undefined;
}

/** `onTraffic` is called for whatever comes over a link; all of them go over `cable`. */
export function createPeerLinks(clock: Clock, onTraffic?: () => void, cable?: Cable): PeerLinks {
  const slots = new Map<string, Slot>();
  const budget = { bytes: WINDOW_BUDGET };

  const dial = async (at: SocketAddress, key: string, slot: Slot): Promise<DialledLink> => {
    const limit = deadline(clock, DIAL_MS);
    try {
      const socket = await dialReal(at, limit.signal, cable);
      const link = createDialledLink({
        socket,
        clock,
        budget,
        onTraffic,
        onEnd() {
          if (slot.link !== link) return;
          slot.link = undefined;
          if (slot.dialling === undefined && slots.get(key) === slot) slots.delete(key);
        },
      });
      slot.link = link;
      return link;
    } catch {
      // Which error it was says something of the network of agents, which Pods do not see.
      throw new NetworkError('EHOSTUNREACH', `no agent answers at ${key}`);
    } finally {
      limit.cancel();
      slot.dialling = undefined;
      if (slot.link === undefined) slots.delete(key);
    }
  };

  /** `fresh`: nobody has used it before. */
  const linkTo = (at: SocketAddress): { link: DialledLink | Promise<DialledLink>; fresh: boolean } => {
    const key = joinHostPort(at.address, at.port);
    const slot = slots.get(key) ?? { link: undefined, dialling: undefined };
    slots.set(key, slot);
    if (slot.link?.usable === true) return { link: slot.link, fresh: false };
    slot.link?.retire();
    slot.link = undefined;
    slot.dialling ??= dial(at, key, slot);
    return { link: slot.dialling, fresh: true };
  };

  return {
    async open(at, packet, options) {
      const { link, fresh } = linkTo(at);
      const ready = link instanceof Promise ? await unlessAborted(link, options.signal, clock, options.waitMs) : link;
      try {
        return await ready.open(packet, options);
      } catch (error) {
        // The other agent may have gone and come since the link was used last: then it has not seen the packet.
        if (fresh || !(error instanceof LinkLost) || options.signal?.aborted === true) throw error;
        return this.open(at, packet, options);
      }
    },
    close() {
      for (const { link } of slots.values()) link?.retire();
      slots.clear();
    },
  };
}

/** Many wait for one link: who gives up leaves it to the others. */
async function unlessAborted<T>(
  work: Promise<T>,
  outer: AbortSignal | undefined,
  clock: Clock,
  ms: number,
): Promise<T> {
  const limit = deadline(clock, ms, outer, () => new NetworkError('ETIMEDOUT', 'no answer'));
  try {
    return await new Promise<T>((resolve, reject) => {
      const abort = (): void => reject(limit.signal.reason as Error);
      if (limit.signal.aborted) return abort();
      limit.signal.addEventListener('abort', abort, { once: true });
      work.then(resolve, reject);
    });
  } finally {
    limit.cancel();
  }
}

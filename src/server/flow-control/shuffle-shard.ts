import { createHash } from 'node:crypto';

/**
 * The queues that a flow may use, as k8s.io/apiserver pkg/util/shufflesharding deals them: few flows share all queues with
 * another, so that a flow that fills its own leaves every other one some. In the order of the deal.
 */
export function dealHand(schema: string, distinguisher: string, queues: number, handSize: number): number[] {
  const digest = createHash('sha256').update(schema).update('\0').update(distinguisher).digest();
  let hash = digest.readBigUInt64LE(0);
  const hand: number[] = [];
  const remainders: number[] = [];
  for (let i = 0; i < handSize; i++) {
    const left = BigInt(queues - i);
    remainders.push(Number(hash % left));
    hash /= left;
  }
  for (let i = 0; i < handSize; i++) {
    let card = remainders[i] ?? 0;
    // Each is a number among the cards that are left: those dealt before are stepped over.
    for (let j = i - 1; j >= 0; j--) if (card >= (remainders[j] ?? 0)) card++;
    hand.push(card);
  }
  return hand;
}

/** Hands of the flows that were last seen: most requests are of a flow that is known. */
export interface Hands {
  of(schema: string, distinguisher: string): readonly number[];
}

/** Names are the clients': as many as these are kept, and the oldest goes. */
const MAX_KNOWN = 4_096;
/** Of one name, at most: what is longer is dealt anew each time. */
const MAX_KEY_LENGTH = 1_024;

export function createHands(queues: number, handSize: number): Hands {
  const known = new Map<string, readonly number[]>();
  return {
    of(schema, distinguisher) {
      const key = `${schema}\0${distinguisher}`;
      let hand = known.get(key);
      if (hand !== undefined) return hand;
      hand = dealHand(schema, distinguisher, queues, handSize);
      if (key.length > MAX_KEY_LENGTH) return hand;
      if (known.size >= MAX_KNOWN)
        for (const oldest of known.keys()) {
          known.delete(oldest);
          break;
        }
      known.set(key, hand);
      return hand;
    },
  };
}

import t from 'tap';
import { allocate } from '../../../../src/server/flow-control/allocation.js';
import { createHands, dealHand } from '../../../../src/server/flow-control/shuffle-shard.js';
import { createIntegrator } from '../../../../src/server/flow-control/integrator.js';

/** Dealt by k8s.io/apiserver's own pkg/util/shufflesharding. */
const HANDS = [
  { schema: 'global-default', distinguisher: 'bob', queues: 128, handSize: 6, hand: [57, 101, 58, 46, 116, 53] },
  {
    schema: 'service-accounts',
    distinguisher: 'system:serviceaccount:a:b',
    queues: 128,
    handSize: 6,
    hand: [55, 113, 71, 36, 27, 19],
  },
  { schema: 'system-leader-election', distinguisher: 'x', queues: 16, handSize: 4, hand: [15, 11, 5, 0] },
  { schema: 's', distinguisher: '', queues: 2, handSize: 1, hand: [0] },
  { schema: 's', distinguisher: 'u', queues: 4, handSize: 4, hand: [3, 2, 0, 1] },
  { schema: 'wide', distinguisher: 'ünïcode', queues: 10_000_000, handSize: 2, hand: [5900216, 8396202] },
  {
    schema: 'full',
    distinguisher: 'user-7',
    queues: 15,
    handSize: 15,
    hand: [12, 3, 10, 7, 5, 9, 13, 1, 0, 2, 14, 8, 11, 6, 4],
  },
];

t.test('flows get the queues that upstream deals them', t => {
  for (const { schema, distinguisher, queues, handSize, hand } of HANDS) {
    t.same(dealHand(schema, distinguisher, queues, handSize), hand, `${schema} ${distinguisher}`);
    const hands = createHands(queues, handSize);
    for (const time of ['first', 'second']) t.same(hands.of(schema, distinguisher), hand, `${schema}: ${time} time`);
  }
  t.end();
});

/** [lower bound, upper bound, target] of each, and what k8s.io/apiserver's computeConcurrencyAllocation makes of them. */
const DIVISIONS: {
  name: string;
  seats: number;
  claims: [number, number, number][];
  expect?: number[];
  fair?: number;
}[] = [
  {
    name: 'nobody has more than the least',
    seats: 22,
    claims: [
      [10, 13, 13],
      [12, 64, 20],
    ],
    expect: [10, 12],
    fair: 0.6,
  },
  {
    name: 'one has all that it may',
    seats: 89,
    claims: [
      [16, 17, 24],
      [10, 41, 30],
      [0, 42, 22],
    ],
    expect: [17, 41, 31],
    fair: 1.409091,
  },
  {
    name: 'nobody is at a bound',
    seats: 63,
    claims: [
      [18, 72, 47],
      [18, 38, 35],
      [7, 33, 34],
    ],
    expect: [25.525862, 19.008621, 18.465517],
    fair: 0.543103,
  },
  { name: 'more than all may have', seats: 31, claims: [[4, 7, 10]] },
  {
    name: 'less than all must have',
    seats: 21,
    claims: [
      [13, 37, 15],
      [17, 69, 35],
      [15, 44, 37],
    ],
  },
  { name: 'a target below its bound', seats: 20, claims: [[10, 40, 5]] },
  { name: 'bounds that cross', seats: 20, claims: [[10, 5, 15]] },
  {
    name: 'nothing to divide',
    seats: 0,
    claims: [
      [0, 5, 5],
      [0, 1, 0],
    ],
    expect: [0, 0],
    fair: 0,
  },
];

t.test('seats are divided by need, within bounds, as upstream does it', t => {
  for (const { name, seats, claims, expect, fair } of DIVISIONS) {
    const divided = allocate(
      seats,
      claims.map(([lowerBound, upperBound, target]) => ({ lowerBound, upperBound, target })),
    );
    const rounded = divided && {
      seats: divided.seats.map(n => Number(n.toFixed(6))),
      fairFraction: Number(divided.fairFraction.toFixed(6)),
    };
    t.same(rounded, expect === undefined ? undefined : { seats: expect, fairFraction: fair }, name);
  }
  t.end();
});

t.test('a number over a time: by time, not by how often it changed', t => {
  let now = 0;
  const integrator = createIntegrator(() => now);
  integrator.set(4);
  now = 1000;
  integrator.set(0);
  now = 2000;
  t.same(integrator.reset(), { durationMs: 2000, average: 2, deviation: 2, max: 4 });
  integrator.set(3);
  now = 2500;
  t.match(integrator.reset(), { average: 3, deviation: 0, max: 3 }, 'what was before is forgotten');
  t.match(integrator.reset(), { durationMs: 0, max: 3 }, 'no time has passed');
  t.end();
});

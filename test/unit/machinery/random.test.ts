import t from 'tap';
import { realRandom, seededRandom } from '../../../src/machinery/random.js';

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

t.test('chance', t => {
  for (const [name, random] of Object.entries({ real: realRandom, seeded: seededRandom(7) })) {
    const uuids = Array.from({ length: 100 }, () => random.uuid());
    t.ok(
      uuids.every(uuid => UUID.test(uuid)),
      `${name}: version 4`,
    );
    t.equal(new Set(uuids).size, 100, `${name}: all different`);
    const drawn = new Set(Array.from({ length: 1_000 }, () => random.below(10)));
    t.same(
      [...drawn].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      `${name}: below`,
    );
    t.ok(Array.from({ length: 100 }, () => random.number()).every(n => n >= 0 && n < 1));
  }
  const sequence = (seed: number): string[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, () => random.uuid());
  };
  t.same(sequence(3), sequence(3), 'the same for the same seed');
  t.notSame(sequence(3), sequence(4));
  t.end();
});

import t from 'tap';
import { Chain, type Linked } from '../../../src/machinery/chain.js';

interface Item extends Linked<Item> {
  readonly name: string;
}

const rows: { name: string; leave: string; expect: string }[] = [
  { name: 'nobody leaves', leave: '', expect: 'abcd' },
  { name: 'the first', leave: 'a', expect: 'bcd' },
  { name: 'the last', leave: 'd', expect: 'abc' },
  { name: 'one between', leave: 'b', expect: 'acd' },
  { name: 'neighbours', leave: 'cb', expect: 'ad' },
  { name: 'all, from behind', leave: 'dcba', expect: '' },
  { name: 'all, in turn', leave: 'abcd', expect: '' },
];

for (const { name, leave, expect } of rows)
  t.test(`a chain that is left: ${name}`, t => {
    const chain = new Chain<Item>();
    const items = new Map([...'abcd'].map(name => [name, { name, links: undefined }]));
    for (const item of items.values()) chain.add(item);
    const named = (): string => [...chain].map(item => item.name).join('');
    for (const one of leave) {
      const item = items.get(one) as Item;
      t.equal(chain.delete(item), true);
      t.equal(chain.delete(item), false, 'only once');
      t.equal(item.links, undefined, 'what has left knows nobody');
      t.equal(chain.has(item), false);
    }
    t.equal(named(), expect);
    t.equal(chain.size, expect.length);
    for (const one of leave) chain.add(items.get(one) as Item);
    t.equal(named(), expect + leave, 'it may come back');
    t.end();
  });

t.test('nobody is in two chains', t => {
  const [one, other] = [new Chain<Item>(), new Chain<Item>()];
  const item: Item = { name: 'a', links: undefined };
  one.add(item);
  t.throws(() => other.add(item), /in a chain/);
  t.equal(other.delete(item), false);
  t.equal(one.has(item), true);
  t.end();
});

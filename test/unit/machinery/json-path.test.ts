import t from 'tap';
import { JsonPathError, parseJsonPath } from '../../../src/machinery/json-path.js';

const DOCUMENT = {
  spec: { list: [{ name: 'x' }, { name: 'y' }, {}], tags: ['p', 'q', 'r'], 'a.b': 1, n: null },
  status: {
    conditions: [
      { type: 'Other', n: 1 },
      { type: 'Ready', n: 2, status: 'True' },
    ],
  },
};

t.test('what expressions find', async t => {
  for (const [text, found] of [
    ['.spec.tags', [['p', 'q', 'r']]],
    ['.spec.list[0].name', ['x']],
    ['.spec.list[*].name', ['x', 'y']],
    ['.spec.tags[-1]', ['r']],
    ['.spec.tags[-1:]', ['r']],
    ['.spec.tags[0:2]', ['p', 'q']],
    ['.spec.tags[::2]', ['p', 'r']],
    ['.spec.tags[0,2]', ['p', 'r']],
    ['.spec.tags[9]', undefined],
    ['.spec.a\\.b', [1]],
    [".spec['tags'][1]", ['q']],
    ['.spec.none.more', []],
    ['.spec.n', [null]],
    ['.spec.n.more', []],
    ['.spec[0]', undefined],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.status.conditions[?(@.n>1)].type', ['Ready']],
    ['.status.conditions[?(@.status)].n', [2]],
    ["{.status.conditions[?(@.type!='Ready')].n}".slice(1, -1), [1]],
    ['..name', ['x', 'y']],
    ['.status.*[0].type', ['Other']],
  ] as const)
    t.same(parseJsonPath(text)(DOCUMENT), found, text);
});

t.test('what is no expression', async t => {
  for (const text of ['.a[', '.a[x]', '.a[?(@.b=="c")', '.a[?(@.b=="c)]', '.a{', '.a[?(@.b=!c)]', '-'])
    t.throws(() => parseJsonPath(text), JsonPathError, text);
});

import t from 'tap';
import { problemsOf } from '../torture/history/check.js';
import type { Change, History, Observation, Seen, Write } from '../torture/history/observation.js';

const seen = (key: string, revision: number, token: string, more: Partial<Seen> = {}): Seen => {
  const { uid = `uid-${key}`, patched = '', team = 'red' } = more;
  return {
    key,
    uid,
    revision,
    token,
    patched,
    team,
    whole: true,
    content: `${uid} ${token} ${patched} ${team}`,
    ...more,
  };
};

const A1 = seen('a', 1, 'w1');
const A2 = seen('a', 2, 'w2');
const A4 = seen('a', 4, 'w2', { patched: 'w3' });
const B5 = seen('b', 5, 'w4', { team: 'blue' });
const A6 = seen('a', 6, 'w5', { team: 'blue' });
const B8 = { ...B5, revision: 8 };
const C9 = seen('c', 9, 'w9');

const sent = (write: Partial<Write> & Pick<Write, 'id' | 'operation'>): Observation => ({
  what: 'sent',
  write: { key: 'a', token: write.operation === 'delete' ? '' : `w${write.id}`, ...write },
});
const answered = (write: number, code: number, seen?: Seen): Observation => ({
  what: 'answered',
  write,
  code,
  ...(seen === undefined ? {} : { seen }),
});
const event = (by: string, change: Change, seen: Seen): Observation => ({ what: 'event', by, change, seen });
const handled = (change: Change, seen: Seen, before?: Seen): Observation => ({
  what: 'handled',
  by: 'informer',
  change,
  seen,
  ...(before === undefined ? {} : { before }),
});
const watching = (by: string, from: number, team = ''): Observation => ({ what: 'watching', by, team, from });
const listed = (by: string, list: number, revision: number, items: readonly Seen[], team = ''): Observation => ({
  what: 'listed',
  by,
  list,
  team,
  revision,
  items,
});

/** Two watchers of everything, one of a team, an informer, a lister; a server that is killed after revision 6. */
const RIGHT: History = [
  watching('one', 0),
  watching('two', 0),
  watching('reds', 0, 'red'),
  listed('informer', 1, 0, []),
  sent({ id: 1, operation: 'create' }),
  event('one', 'ADDED', A1),
  event('two', 'ADDED', A1),
  event('reds', 'ADDED', A1),
  handled('ADDED', A1),
  answered(1, 201, A1),
  sent({ id: 2, operation: 'update', base: 1 }),
  answered(2, 200, A2),
  event('one', 'MODIFIED', A2),
  event('two', 'MODIFIED', A2),
  event('reds', 'MODIFIED', A2),
  handled('MODIFIED', A2, A1),
  sent({ id: 3, operation: 'patch' }),
  sent({ id: 4, operation: 'create', key: 'b' }),
  answered(4, 201, B5),
  answered(3, 200, A4),
  event('one', 'MODIFIED', A4),
  event('reds', 'MODIFIED', A4),
  event('one', 'ADDED', B5),
  sent({ id: 5, operation: 'update', base: 4 }),
  sent({ id: 6, operation: 'update', base: 4 }),
  { what: 'started' },
  watching('one', 5),
  watching('two', 2),
  watching('reds', 4, 'red'),
  listed('informer', 2, 6, [A6, B5]),
  handled('MODIFIED', A6, A2),
  handled('ADDED', B5),
  event('one', 'MODIFIED', A6),
  event('two', 'MODIFIED', A4),
  event('two', 'ADDED', B5),
  event('two', 'MODIFIED', A6),
  event('reds', 'DELETED', { ...A4, revision: 6 }),
  { what: 'bookmark', by: 'one', revision: 7 },
  sent({ id: 7, operation: 'update', base: 4 }),
  answered(7, 409),
  sent({ id: 8, operation: 'delete', key: 'b', uid: 'uid-b' }),
  answered(8, 200),
  event('one', 'DELETED', B8),
  event('two', 'DELETED', B8),
  handled('DELETED', B8),
  sent({ id: 9, operation: 'create', key: 'c' }),
  event('one', 'ADDED', C9),
  event('two', 'ADDED', C9),
  event('reds', 'ADDED', C9),
  handled('ADDED', C9),
  answered(9, 201, C9),
  { what: 'asked', list: 3 },
  listed('lister', 3, 9, [A6, C9]),
  listed('lister', 4, 9, [A6], 'blue'),
  { what: 'holds', by: 'informer', items: [A6, C9] },
];

/** RIGHT with each observation that `is` picks replaced by what `by` makes of it. */
const change = (is: (one: Observation) => boolean, by: (one: Observation) => readonly Observation[]): History => {
  const found = RIGHT.filter(is);
  if (found.length === 0) throw new Error('nothing to change');
  return RIGHT.flatMap(one => (is(one) ? by(one) : [one]));
};
const isEvent =
  (by: string, revision: number) =>
  (one: Observation): boolean =>
    one.what === 'event' && one.by === by && one.seen.revision === revision;
const isAnyEvent =
  (revision: number) =>
  (one: Observation): boolean =>
    one.what === 'event' && one.seen.revision === revision;
const isHandled =
  (revision: number) =>
  (one: Observation): boolean =>
    one.what === 'handled' && one.seen.revision === revision;
const isAnswer =
  (write: number) =>
  (one: Observation): boolean =>
    one.what === 'answered' && one.write === write;
const isSent =
  (write: number) =>
  (one: Observation): boolean =>
    one.what === 'sent' && one.write.id === write;
const isList =
  (list: number) =>
  (one: Observation): boolean =>
    one.what === 'listed' && one.list === list;
const withSeen =
  (more: Partial<Seen>) =>
  (one: Observation): readonly Observation[] =>
    'seen' in one && one.seen !== undefined ? [{ ...one, seen: { ...one.seen, ...more } }] : [one];
const withItems =
  (items: readonly Seen[]) =>
  (one: Observation): readonly Observation[] => [{ ...one, items } as Observation];
const withRevision =
  (revision: number) =>
  (one: Observation): readonly Observation[] => [{ ...one, revision } as Observation];
const gone = (): readonly Observation[] => [];
const twice = (one: Observation): readonly Observation[] => [one, one];

t.same(problemsOf(RIGHT), [], 'the history of a store that does what it should');
t.same(
  problemsOf(change(isSent(5), one => [sent({ id: 10, operation: 'delete', key: 'b', uid: 'uid-b' }), one])),
  [],
  'a delete that a dead server was asked for, and that happened when it was asked for again',
);

const ROWS: readonly { name: string; history: History; expect: RegExp }[] = [
  {
    name: 'an acknowledged write is gone',
    history: change(isAnyEvent(9), gone),
    expect: /acknowledged and missing: create w9 of c/,
  },
  {
    name: 'an acknowledged delete did not happen',
    history: change(isAnyEvent(8), gone),
    expect: /acknowledged and missing: delete {2}of b/,
  },
  {
    name: 'what was acknowledged is something else',
    history: change(isAnswer(3), withSeen({ content: 'else' })),
    expect: /acknowledged as a@4 .* and it is a@4/,
  },
  {
    name: 'it was acknowledged with another revision',
    history: change(isAnswer(2), withSeen({ revision: 3 })),
    expect: /acknowledged as a@3 .* and it is a@2/,
  },
  {
    name: 'half of a write is stored',
    history: change(isAnyEvent(6), withSeen({ whole: false })),
    expect: /revision 6: a@6 .* is of two writes/,
  },
  {
    name: 'a revision stands for two things',
    history: change(isEvent('two', 5), withSeen({ content: 'else' })),
    expect: /revision 5 is two things/,
  },
  {
    name: 'a write that nobody sent',
    history: change(isSent(5), gone),
    expect: /revision 6: a@6 .* was written by nobody/,
  },
  {
    name: 'a refused write happened',
    history: [...RIGHT, answered(5, 409)],
    expect: /revision 6: a@6 .* update was answered with 409/,
  },
  {
    name: 'an update on another revision than it insisted on',
    history: change(isSent(5), () => [sent({ id: 5, operation: 'update', base: 2 })]),
    expect: /revision 6: .* insisted on 2, and there was a@4/,
  },
  {
    name: 'a create where there was something',
    history: change(isSent(2), () => [sent({ id: 2, operation: 'create' })]),
    expect: /revision 2: .* is a create/,
  },
  {
    name: 'a patch that took a label with it',
    history: change(isAnyEvent(4), withSeen({ team: 'blue' })),
    expect: /revision 4: .* changed what it did not name of a@2/,
  },
  {
    name: 'a write happened twice',
    history: [
      ...RIGHT.slice(0, -4),
      ...['one', 'two'].map(by => event(by, 'MODIFIED', { ...A2, revision: 10 })),
      ...RIGHT.slice(-4),
    ],
    expect: /revision 10: a@10 .* applies update w2 again/,
  },
  {
    name: 'a delete that nobody asked for',
    history: change(isSent(8), gone),
    expect: /revision 8: b@8 .* was deleted by nobody/,
  },
  {
    name: 'what is deleted is not what was there',
    history: change(isAnyEvent(8), withSeen({ content: 'else' })),
    expect: /revision 8: .* is not what was deleted/,
  },
  {
    name: 'another object under the same name, without a deletion',
    history: change(isAnyEvent(6), withSeen({ uid: 'other' })),
    expect: /revision 6: .* follows another object/,
  },
  {
    name: 'a revision is handed out again after a restart',
    history: change(one => isAnyEvent(9)(one) || isHandled(9)(one) || isAnswer(9)(one), withSeen({ revision: 6 })),
    expect: /revision 6 is two things/,
  },
  {
    name: 'a write that the dead server was asked for happens after the restart',
    history: RIGHT.map(one =>
      isAnyEvent(6)(one) || isHandled(6)(one) ? (withSeen({ revision: 10 })(one)[0] ?? one) : one,
    ),
    expect: /create w9 was given revision 9 after 10/,
  },
  {
    name: 'revisions run against time',
    history: [
      ...change(isSent(2), gone).slice(0, 4),
      sent({ id: 2, operation: 'update', base: 1 }),
      answered(2, 200, A2),
      ...change(one => isSent(2)(one) || isAnswer(2)(one), gone).slice(4),
    ],
    expect: /create w1 was given revision 1 after 2/,
  },
  {
    name: 'a list is older than what was acknowledged',
    history: change(isList(3), () => [listed('lister', 3, 6, [A6, B5])]),
    expect: /lister was given a list of 6 after 9/,
  },
  {
    name: 'a list lacks an object',
    history: change(isList(3), withItems([A6])),
    expect: /a list of 9 for lister has nothing for c@9/,
  },
  {
    name: 'a list has an object that is gone',
    history: change(isList(3), withItems([A6, B5, C9])),
    expect: /a list of 9 for lister has b@5 .*, which is not there/,
  },
  {
    name: 'a list has an older version',
    history: change(isList(3), withItems([A4, C9])),
    expect: /a list of 9 for lister has a@4 .* for a@6/,
  },
  {
    name: 'a list names one twice',
    history: change(isList(3), withItems([A6, C9, C9])),
    expect: /names an object twice/,
  },
  {
    name: 'a list by label has one of another',
    history: change(isList(4), withItems([A6, C9])),
    expect: /a list of 9 for lister has c@9 .*, which is not there/,
  },
  {
    name: 'a watcher missed a change',
    history: change(isEvent('two', 4), gone),
    expect: /two is told ADDED b@5 .*, where MODIFIED a@4/,
  },
  {
    name: 'a watcher was told twice',
    history: change(isEvent('two', 4), twice),
    expect: /two is told MODIFIED a@4 .* after 4/,
  },
  {
    name: 'a watcher missed the last change',
    history: change(isEvent('two', 9), gone),
    expect: /two was not told ADDED c@9/,
  },
  {
    name: 'a watcher was told of another kind of change',
    history: change(isEvent('reds', 9), () => [event('reds', 'MODIFIED', C9)]),
    expect: /reds is told MODIFIED c@9 .*, where ADDED c@9/,
  },
  {
    name: 'an object left a selector in silence',
    history: change(isEvent('reds', 6), gone),
    expect: /reds is told ADDED c@9 .*, where DELETED a@6/,
  },
  {
    name: 'a bookmark is ahead of what was told',
    history: change(
      one => one.what === 'bookmark',
      () => [{ what: 'bookmark', by: 'one', revision: 8 }],
    ),
    expect: /one was not told DELETED b@8/,
  },
  {
    name: 'a bookmark goes back',
    history: change(one => one.what === 'bookmark', withRevision(5)),
    expect: /one has a bookmark of 5 after 6/,
  },
  {
    name: 'a watcher came back elsewhere',
    history: change(
      one => one.what === 'watching' && one.by === 'one' && one.from === 5,
      () => [watching('one', 6)],
    ),
    expect: /one watches from 6, and knows 5/,
  },
  {
    name: 'an informer missed a change',
    history: change(isHandled(8), gone),
    expect: /informer is told ADDED c@9 .*, where DELETED b@8/,
  },
  {
    name: 'an informer told twice',
    history: change(isHandled(2), twice),
    expect: /informer is told MODIFIED a@2 .* after 2/,
  },
  {
    name: 'an informer told of a change on something else',
    history: change(isHandled(2), () => [handled('MODIFIED', A2, A4)]),
    expect: /informer is told that a@2 .* was a@4 .*, and has a@1/,
  },
  {
    name: 'an informer forgot what a list brought',
    history: change(one => one.what === 'handled' && one.seen.revision === 5, gone),
    expect: /informer has nothing for b@5/,
  },
  {
    name: 'an informer holds what it did not tell',
    history: change(one => one.what === 'holds', withItems([A6])),
    expect: /informer has nothing for c@9/,
  },
  {
    name: 'an informer ends elsewhere',
    history: change(
      one => isHandled(9)(one) || one.what === 'holds',
      one => (one.what === 'holds' ? withItems([A6])(one) : []),
    ),
    expect: /informer was not told ADDED c@9/,
  },
];

for (const { name, history, expect } of ROWS)
  t.test(name, async t => {
    const problems = problemsOf(history);
    t.ok(
      problems.some(problem => expect.test(problem)),
      `${expect.source}: ${problems.join('\n') || 'nothing was found'}`,
    );
  });

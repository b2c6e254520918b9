import t from 'tap';
import { FakeClock } from '../../../../src/machinery/clock.js';
import { createQueueSet, type Queuing, type QueueSet } from '../../../../src/server/flow-control/queue-set.js';
import type { Ticket } from '../../../../src/server/flow-control/ticket.js';
import type { Flow, Work } from '../../../../src/server/flow-control/types.js';

const flowOf = (schema: string): Flow => ({
  level: 'level',
  schema,
  inQueue: 0,
  seatsInQueue: 0,
  executing: 0,
  seatsExecuting: 0,
  dispatched: 0,
  noAccommodation: 0,
  rejected: { 'queue-full': 0, 'concurrency-limit': 0, 'time-out': 0 },
  queued: () => undefined,
});

const QUEUES: Queuing = { kind: 'queue', queues: 8, queueLengthLimit: 3 };

function setup(queuing: Queuing, limit: number, soon = (callback: () => void): void => callback()) {
  const clock = new FakeClock();
  let demand = 0;
  let idle = 0;
  const set: QueueSet = createQueueSet({
    clock,
    soon,
    onDemand: seats => (demand = seats),
    onIdle: () => idle++,
  });
  set.configure(queuing, limit);
  const flow = flowOf('s');
  const order: string[] = [];
  const arrive = (name: string, index: number, work: Partial<Work> = {}, user = name): Ticket | string => {
    const outcome = set.arrive({
      flow,
      hand: [index],
      work: { initialSeats: 1, finalSeats: 0, lingerMs: 0, ...work },
      distinguisher: user,
      holder: { dispatched: () => void order.push(name) },
    });
    if (typeof outcome === 'string') return outcome;
    if (!outcome.waits) order.push(name);
    return outcome.ticket;
  };
  const admitted = (name: string, index: number, work: Partial<Work> = {}): Ticket => {
    const ticket = arrive(name, index, work);
    if (typeof ticket === 'string') throw new Error(ticket);
    return ticket;
  };
  return { clock, set, flow, order, arrive, admitted, demand: () => demand, idle: () => idle };
}

t.test('without queues, what has no seat is refused', t => {
  const { set, arrive, admitted, order, demand, idle } = setup({ kind: 'reject' }, 2);
  const first = admitted('a', 0);
  admitted('b', 0);
  t.equal(arrive('c', 0), 'concurrency-limit');
  set.finish(first);
  admitted('d', 0);
  t.same(order, ['a', 'b', 'd']);
  t.equal(demand(), 2);
  t.equal(idle(), 0);
  t.match(set.totals, { executing: 2, rejected: 1, dispatched: 3 });
  t.end();
});

t.test('what is exempt is let in at once, and counted', t => {
  const { set, admitted, demand, idle } = setup({ kind: 'exempt' }, 0);
  const tickets = Array.from({ length: 100 }, (_, i) => admitted(String(i), 0, { initialSeats: 3 }));
  t.equal(demand(), 300);
  for (const ticket of tickets) set.finish(ticket);
  t.equal(demand(), 0);
  t.equal(idle(), 1);
  t.end();
});

t.test('a queue that has had less is next, however long another one is', t => {
  const { set, admitted, order, clock } = setup(QUEUES, 1);
  let running = admitted('greedy-0', 1);
  const tickets = new Map<string, Ticket>();
  for (const n of [1, 2, 3]) tickets.set(`greedy-${n}`, admitted(`greedy-${n}`, 1));
  tickets.set('modest', admitted('modest', 5));
  for (let n = 0; n < 4; n++) {
    clock.step(10);
    set.finish(running);
    running = tickets.get(order.at(-1) ?? '') ?? running;
  }
  t.same(order, ['greedy-0', 'modest', 'greedy-1', 'greedy-2', 'greedy-3']);
  t.end();
});

t.test('one that came after a slow moment is not passed by its like that come later', t => {
  const { clock, set, order, admitted } = setup(QUEUES, 1);
  const serve = (ticket: Ticket, ms: number): void => {
    clock.step(ms);
    set.finish(ticket);
  };
  serve(admitted('slow', 0), 100);
  let executing = admitted('g0', 0);
  admitted('modest', 7);
  let passed = 0;
  // There is always one of the others executing and one waiting, each time in a queue that begins anew.
  for (let i = 1; i <= 50 && !order.includes('modest'); i++) {
    const next = admitted(`g${i}`, i % 7);
    serve(executing, 0.2);
    executing = next;
    passed++;
  }
  t.ok(passed <= 7, `${passed} passed it, and there are seven other queues`);
  t.end();
});

t.test('one request goes before those of a user who fills many queues that have had as much', t => {
  const { clock, set, order, arrive } = setup(QUEUES, 1);
  const ask = (name: string, index: number, user: string): Ticket => {
    const outcome = arrive(name, index, {}, user);
    if (typeof outcome === 'string') throw new Error(outcome);
    return outcome;
  };
  let executing = ask('g0', 0, 'greedy');
  const waiting = new Map<string, Ticket>();
  let asked = 1;
  const askAndAnswer = (): void => {
    for (; waiting.size < 3; asked++) waiting.set(`g${asked}`, ask(`g${asked}`, asked % 7, 'greedy'));
    clock.step(0.2);
    set.finish(executing);
    const name = order[order.length - 1] ?? '';
    executing = waiting.get(name) ?? executing;
    waiting.delete(name);
  };
  for (let i = 0; i < 30; i++) askAndAnswer();
  const before = order.length;
  waiting.set('modest', ask('modest', 7, 'modest'));
  askAndAnswer();
  t.equal(order.indexOf('modest'), before, 'as soon as the one is answered that executes');
  for (let i = 0; i < 30; i++) askAndAnswer();
  t.ok(order.length >= before + 30, 'and the others go on');
  t.end();
});

t.test('requests that are answered at once share a turn of the event loop with others', t => {
  let planned: (() => void)[] = [];
  const { clock, set, order, admitted } = setup({ ...QUEUES, queueLengthLimit: 100 }, 10, callback => {
    planned.push(callback);
  });
  const tickets = new Map<string, Ticket>();
  let seen = 0;
  /** What has been let in is answered before anything else is read, after a millisecond of work. */
  const answer = (): void => {
    for (; seen < order.length; seen++) {
      clock.step(1);
      const ticket = tickets.get(order[seen] ?? '');
      if (ticket !== undefined) set.finish(ticket);
    }
  };
  const read = (name: string, queue: number): void => {
    tickets.set(name, admitted(name, queue));
    answer();
  };
  const turn = (): void => {
    const callbacks = planned;
    planned = [];
    for (const callback of callbacks) {
      callback();
      answer();
    }
  };
  for (let i = 0; i < 20; i++) read(`greedy-${i}`, 1);
  t.ok(order.length < 20, `${order.length} were begun in the turn that read all of them`);
  const begun = order.length;
  read('modest', 5);
  t.notOk(order.includes('modest'), 'whoever comes then waits as well');
  turn();
  turn();
  t.ok(order.indexOf('modest') - begun <= 1, 'but not for the rest of them');
  while (planned.length > 0) turn();
  t.equal(order.length, 21, 'all are begun');
  t.ok(set.isIdle());
  t.end();
});

t.test('two queues that always want get the same, by seats and time and not by number', t => {
  const { set, clock, arrive, order } = setup({ kind: 'queue', queues: 8, queueLengthLimit: 1000 }, 2);
  const running: { ticket: Ticket; ends: number }[] = [];
  const tickets = new Map<string, Ticket>();
  for (let n = 0; n < 300; n++)
    for (const queue of [1, 2]) {
      const name = `${queue}-${n}`;
      const ticket = arrive(name, queue);
      if (typeof ticket !== 'string') tickets.set(name, ticket);
    }
  const served = { slow: 0, quick: 0 };
  let seen = 0;
  for (let now = 0; now < 1000; now++) {
    for (; seen < order.length; seen++) {
      const name = order[seen] ?? '';
      const ticket = tickets.get(name);
      const slow = name.startsWith('1-');
      if (ticket !== undefined) running.push({ ticket, ends: now + (slow ? 20 : 5) });
      served[slow ? 'slow' : 'quick'] += slow ? 20 : 5;
    }
    clock.step(1);
    for (const one of running.filter(({ ends }) => ends <= now + 1)) {
      running.splice(running.indexOf(one), 1);
      set.finish(one.ticket);
    }
  }
  t.ok(Math.abs(served.slow - served.quick) <= 60, `time of each: ${JSON.stringify(served)}`);
  t.end();
});

t.test('a full queue refuses when all seats are taken, and others still queue', t => {
  const { set, arrive, flow } = setup(QUEUES, 1);
  for (const name of ['a', 'b', 'c', 'd']) t.not(arrive(name, 1), 'queue-full', name);
  t.equal(arrive('e', 1), 'queue-full');
  t.not(arrive('f', 2), 'queue-full');
  t.match(flow, { inQueue: 4, seatsInQueue: 4, executing: 1 });
  t.match(set.totals, { waiting: 4, executing: 1, rejected: 1 });
  t.end();
});

t.test('the queue with the least work of a hand is joined', t => {
  const { set, arrive } = setup(QUEUES, 1);
  arrive('running', 0);
  arrive('wide', 3, { initialSeats: 5 });
  arrive('narrow', 4);
  const pick = (): number | undefined => {
    const outcome = set.arrive({
      flow: flowOf('s'),
      hand: [3, 4],
      work: { initialSeats: 1, finalSeats: 0, lingerMs: 0 },
      distinguisher: '',
      holder: { dispatched: () => undefined },
    });
    return typeof outcome === 'string' ? undefined : outcome.ticket.queue?.index;
  };
  t.same([pick(), pick()], [4, 4]);
  t.end();
});

t.test('one that is wider than its level has it for itself, and is not passed by', t => {
  const { set, admitted, order, flow } = setup(QUEUES, 2);
  const first = admitted('first', 1);
  const wide = admitted('wide', 2, { initialSeats: 5 });
  admitted('behind', 2);
  t.same(order, ['first']);
  t.ok(flow.noAccommodation > 0);
  set.finish(first);
  t.same(order, ['first', 'wide']);
  set.finish(wide);
  t.same(order, ['first', 'wide', 'behind']);
  t.end();
});

t.test('seats that linger are held after the answer', t => {
  const { set, clock, admitted, order, demand } = setup(QUEUES, 1);
  const first = admitted('first', 1, { finalSeats: 1, lingerMs: 50 });
  admitted('second', 1);
  set.finish(first);
  t.equal(demand(), 2);
  t.same(order, ['first']);
  clock.step(50);
  t.same(order, ['first', 'second']);
  t.equal(demand(), 1);
  t.end();
});

t.test('one that gives up leaves its place, and nothing is left of an idle queue', t => {
  const { set, admitted, order, idle, demand } = setup(QUEUES, 1);
  const first = admitted('first', 1);
  const second = admitted('second', 1);
  const third = admitted('third', 1);
  set.giveUp(second);
  set.giveUp(second);
  set.finish(first);
  t.same(order, ['first', 'third']);
  set.giveUp(third);
  t.equal(set.totals.executing, 1, 'it is too late to give up');
  set.finish(third);
  t.equal(set.queues.size, 0);
  t.equal(idle(), 1);
  t.equal(demand(), 0);
  t.match(set.totals, { rejected: 1, cancelled: 1, waiting: 0, executing: 0, seatsInUse: 0, seatsWaiting: 0 });
  t.end();
});

t.test('more seats let in those who wait', t => {
  const { set, admitted, order } = setup(QUEUES, 1);
  for (const name of ['a', 'b', 'c']) admitted(name, 1);
  set.configure(QUEUES, 3);
  t.same(order, ['a', 'b', 'c']);
  t.end();
});

t.test('of those that have had as much, the one that has least under way is next', t => {
  const { clock, set, order, admitted } = setup(QUEUES, 2);
  admitted('crowd-0', 3);
  const second = admitted('crowd-1', 1);
  // By round robin this one would be next, which has another under way.
  admitted('crowd-2', 3);
  admitted('crowd-3', 1);
  admitted('modest', 5);
  clock.step(3);
  set.finish(second);
  t.same(order, ['crowd-0', 'crowd-1', 'modest']);
  t.end();
});

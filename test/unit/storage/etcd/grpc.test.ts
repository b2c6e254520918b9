import t from 'tap';
import { Deframer, frame } from '../../../../src/storage/etcd/grpc/frames.js';
import { statusOf } from '../../../../src/storage/etcd/grpc/status.js';

t.test('messages are put together, however they come', async t => {
  const messages = ['', 'a', 'x'.repeat(300), 'b'].map(text => Buffer.from(text));
  const stream = Buffer.concat(messages.map(frame));
  for (const size of [1, 2, 3, 5, 6, 7, 64, stream.length]) {
    const deframer = new Deframer(1_000);
    const taken: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) taken.push(...deframer.take(stream.subarray(at, at + size)));
    t.same(taken.map(String), messages.map(String), `${size} bytes at a time`);
  }
});

t.test('what is too long is refused by its head, and what is compressed is not read', async t => {
  const head = frame(Buffer.alloc(1_001)).subarray(0, 5);
  t.throws(() => new Deframer(1_000).take(head), {
    code: 'ResourceExhausted',
    details: 'received message larger than max (1001 vs. 1000)',
  });
  const compressed = frame(Buffer.from('x'));
  compressed[0] = 1;
  t.throws(() => new Deframer(1_000).take(compressed), { code: 'Internal' });
});

t.test('how a call ended', async t => {
  const rows = [
    { name: 'no status', headers: {}, expect: undefined },
    { name: 'well', headers: { 'grpc-status': '0' }, expect: 'OK' },
    {
      name: 'an encoded message',
      headers: { 'grpc-status': '14', 'grpc-message': 'etcdserver: no leader%2C yet' },
      expect: { code: 'Unavailable', details: 'etcdserver: no leader, yet' },
    },
    {
      name: 'a message that is not encoded as it should be',
      headers: { 'grpc-status': '5', 'grpc-message': '100%' },
      expect: { code: 'NotFound', details: '100%' },
    },
    { name: 'a code that nobody knows', headers: { 'grpc-status': '99' }, expect: { code: 'Unknown', details: '' } },
  ];
  for (const { name, headers, expect } of rows) {
    const found = statusOf(headers);
    if (typeof expect === 'object') t.match(found, expect, name);
    else t.equal(found, expect, name);
  }
});

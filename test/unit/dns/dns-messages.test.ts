import t from 'tap';
import { decodeQuery, MessageError } from '../../../src/dns/message.js';
import { type Answer, emptyAnswer, RCODE, type ResourceRecord } from '../../../src/dns/records.js';
import { createResponseEncoder } from '../../../src/dns/response.js';

/** By miekg/dns 1.1.68, CoreDNS's library; most of the cases were put to CoreDNS 1.13.1 with another name. */
const ID = '1234';
const NAME = '03776562' + '0473686f70' + '00';
const IN_A = '00010001';
const header = (flags: string, counts = '0001' + '0000' + '0000' + '0000'): string => ID + flags + counts;
const counts = (...of: readonly number[]): string => of.map(n => n.toString(16).padStart(4, '0')).join('');
const RECORD = 'c00c' + '00010001' + '00000005' + '0004' + '01020304';
const opt = (size: string, flags: string, options = '', version = '00'): string =>
  '000029' + size + '00' + version + flags + (options.length / 2).toString(16).padStart(4, '0') + options;
const withOpt = (...of: Parameters<typeof opt>): string =>
  header('0100', counts(1, 0, 0, 1)) + NAME + IN_A + opt(...of);

t.test('what is refused, and how', async t => {
  const formerr = (flags: string, question = ''): string =>
    header(flags, counts(question === '' ? 0 : 1, 0, 0, 0)) + question;
  const rows: readonly { readonly name: string; readonly message: string; readonly expect: string | undefined }[] = [
    { name: 'less than a header', message: '123401', expect: undefined },
    { name: 'a response', message: header('8100') + NAME + IN_A, expect: undefined },
    { name: 'a header only', message: header('0110'), expect: formerr('8112') },
    { name: 'a header only, of NOTIFY', message: header('2110'), expect: formerr('a002') },
    { name: 'no question', message: header('0100', counts(0, 0, 0, 0)), expect: formerr('8101') },
    { name: 'two questions', message: header('0100', counts(2, 0, 0, 0)) + NAME + IN_A, expect: formerr('8101') },
    { name: 'two answers', message: header('0100', counts(1, 2, 0, 0)) + NAME + IN_A, expect: formerr('8101') },
    { name: 'two of authority', message: header('0100', counts(1, 0, 2, 0)) + NAME + IN_A, expect: formerr('8101') },
    { name: 'three additional', message: header('0100', counts(1, 0, 0, 3)) + NAME + IN_A, expect: formerr('8101') },
    { name: 'opcode STATUS', message: header('1100') + NAME + IN_A, expect: formerr('9104') },
    { name: 'opcode UPDATE, all flags', message: header('2ff0') + NAME + IN_A, expect: formerr('abb4') },
    { name: 'cut in the name', message: header('0130') + '03776562', expect: formerr('8131') },
    { name: 'cut in the type', message: header('0100') + NAME + '00', expect: formerr('8101') },
    { name: 'a pointer to itself', message: header('0100') + 'c00c' + IN_A, expect: formerr('8101') },
    { name: 'a label of an unknown kind', message: header('0100') + '81' + '61'.repeat(130), expect: formerr('8101') },
    {
      name: 'a record that is cut: the question is repeated',
      message: header('0100', counts(1, 1, 0, 0)) + NAME + IN_A + RECORD.slice(0, -2),
      expect: formerr('8101', NAME + IN_A),
    },
    {
      name: 'an address of three bytes',
      message: header('0100', counts(1, 1, 0, 0)) + NAME + IN_A + 'c00c' + '00010001' + '00000005' + '0003' + '010203',
      expect: formerr('8101', NAME + IN_A),
    },
    {
      name: 'an EDNS option that is cut',
      message: withOpt('1000', '0000', '000a00'),
      expect: formerr('8101', NAME + IN_A),
    },
    { name: 'half an EXPIRE', message: withOpt('1000', '0000', '00090002abcd'), expect: formerr('8101', NAME + IN_A) },
    {
      name: 'a KEEPALIVE of one byte',
      message: withOpt('1000', '0000', '000b000101'),
      expect: formerr('8101', NAME + IN_A),
    },
    {
      name: 'a SUBNET of 40 bits of IPv4',
      message: withOpt('1000', '0000', '00080004' + '00012800'),
      expect: formerr('8101', NAME + IN_A),
    },
  ];
  for (const { name, message, expect } of rows)
    try {
      decodeQuery(Buffer.from(message, 'hex'));
      t.fail(`${name}: is a query`);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      t.equal(error.reply?.toString('hex'), expect, name);
    }
});

t.test('what is a question', async t => {
  const rows: readonly { readonly name: string; readonly message: string; readonly expect: object }[] = [
    { name: 'one', message: header('0100') + NAME + IN_A, expect: { name: 'web.shop', type: 1, class: 1 } },
    { name: 'with bytes after it', message: header('0100') + NAME + IN_A + 'ffff', expect: { name: 'web.shop' } },
    { name: 'without a class', message: header('0100') + NAME + '001c', expect: { type: 28, class: 0 } },
    { name: 'without a type', message: header('0100') + NAME, expect: { type: 0, class: 0 } },
    { name: 'of NOTIFY', message: header('2110') + NAME + IN_A, expect: { opcode: 4, recursionDesired: false } },
    {
      name: 'with records that are not there',
      message: header('0100', counts(1, 1, 1, 2)) + NAME + IN_A,
      expect: { name: 'web.shop', edns: undefined },
    },
    {
      name: 'whose name is in pieces',
      message: header('0100') + '03776562' + 'c016' + IN_A + '0473686f70' + '00',
      expect: { name: 'web.shop', question: Buffer.from(NAME + IN_A, 'hex') },
    },
    {
      name: 'with a dot, a space and a zero in a label',
      message: header('0100') + '05' + '612e622000' + '00' + IN_A,
      expect: { labels: ['a\\.b\\ \\000'] },
    },
    {
      name: 'the last OPT record goes',
      message: header('0100', counts(1, 0, 0, 2)) + NAME + IN_A + opt('03e8', '0000') + opt('07d0', '8000'),
      expect: { edns: { udpSize: 2000, flags: 0x8000 } },
    },
    {
      name: 'an OPT record among the answers is none',
      message: header('0100', counts(1, 1, 0, 0)) + NAME + IN_A + opt('03e8', '0000'),
      expect: { edns: undefined },
    },
  ];
  for (const { name, message, expect } of rows) t.match(decodeQuery(Buffer.from(message, 'hex')), expect, name);
});

const address = (name: string, last: number): ResourceRecord => ({
  ...{ type: 'A', name, ttl: 30, address: `10.0.0.${last}` },
});
const many = (name: string, count: number): readonly ResourceRecord[] =>
  Array.from({ length: count }, (_, i) => address(name, i));
const answers = (records: readonly ResourceRecord[]): Answer => ({ ...emptyAnswer(RCODE.NOERROR), answers: records });
const QUESTION = header('0100') + NAME + IN_A;

t.test('responses', async t => {
  const encode = createResponseEncoder();
  const rows: readonly {
    readonly name: string;
    readonly message?: string;
    readonly answer: Answer;
    readonly limit?: number;
    readonly compressOver?: number;
    readonly expect: {
      readonly flags?: number;
      readonly counts?: string;
      readonly length?: number;
      readonly end?: string;
    };
  }[] = [
    {
      name: 'a name is written out where there is room',
      answer: answers(many('web.shop', 2)),
      expect: { flags: 0x8100, counts: counts(1, 2, 0, 0), length: 26 + 2 * 24 },
    },
    {
      name: 'and points at the question where there is none',
      answer: answers(many('web.shop', 25)),
      expect: { flags: 0x8100, counts: counts(1, 25, 0, 0), length: 26 + 25 * 16 },
    },
    {
      name: 'what does not fit is left out, and that is said',
      answer: answers(many('web.shop', 60)),
      expect: { flags: 0x8300, counts: counts(1, 30, 0, 0), length: 26 + 30 * 16 },
    },
    {
      name: 'case counts for a pointer',
      answer: answers(many('WEB.shop', 25)),
      expect: { flags: 0x8100, length: 26 + 20 + 24 * 16 },
    },
    {
      name: 'a datagram that would be cut into fragments has pointers',
      answer: answers(many('web.shop', 60)),
      limit: 4096,
      compressOver: 1400,
      expect: { flags: 0x8100, length: 26 + 60 * 16 },
    },
    {
      name: 'additional records that do not fit are said as well',
      answer: { ...answers(many('web.shop', 1)), additional: many('web.shop', 60) },
      expect: { flags: 0x8300, counts: counts(1, 1, 0, 29) },
    },
    {
      name: 'OPT stands last, with the size and the upper flags of the query',
      message: withOpt('1000', 'ffff'),
      answer: answers(many('web.shop', 1)),
      expect: { counts: counts(1, 1, 0, 1), end: opt('1000', 'ff00') },
    },
    {
      name: 'options that are known are repeated',
      message: withOpt('1000', '0000', '000a0001ab' + 'fde90001cd' + '000c0000'),
      answer: answers([]),
      expect: { end: opt('1000', '0000', '000a0001ab' + '000c0000') },
    },
    {
      name: 'OPT has its room before the records',
      message: withOpt('0200', '0000'),
      answer: answers(many('web.shop', 60)),
      expect: { counts: counts(1, 29, 0, 1), length: 26 + 29 * 16 + 11 },
    },
    {
      name: 'BADVERS says nothing of the query’s OPT',
      message: withOpt('1000', '8000', '', '01'),
      answer: emptyAnswer(RCODE.BADVERS),
      expect: { flags: 0x8100, counts: counts(1, 0, 0, 1), end: '0000290000010000000000' },
    },
    {
      name: 'the target of SRV is not compressed',
      answer: {
        ...answers([
          ...many('web.shop', 20),
          { type: 'SRV', name: 'web.shop', ttl: 30, priority: 0, weight: 1, port: 80, target: 'web.shop' },
        ]),
      },
      limit: 512,
      expect: { end: 'c00c' + '00210001' + '0000001e' + '0010' + '000000010050' + NAME },
    },
  ];
  for (const { name, message = QUESTION, answer, limit = 512, compressOver, expect } of rows) {
    const response = encode(decodeQuery(Buffer.from(message, 'hex')), answer, limit, compressOver);
    const hex = response.toString('hex');
    t.match(
      {
        flags: response.readUInt16BE(2),
        counts: hex.slice(8, 24),
        length: response.length,
        end: hex.slice(-(expect.end ?? '').length),
      },
      expect,
      name,
    );
  }
});

import t from 'tap';
import { AnswerReader } from '../bench/api/answer-reader.js';

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

const cases = [
  {
    name: 'with a length',
    input: 'HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello',
    expect: ['201', 'hello', 'end'],
  },
  { name: 'without a body', input: 'HTTP/1.1 304 Not Modified\r\nDate: x\r\n\r\n', expect: ['304', '', 'end'] },
  { name: 'in chunks', input: `${chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, expect: ['200', 'hello', 'end'] },
  { name: 'of chunks with a trailer', input: `${chunked}1\r\nx\r\n0\r\nA: b\r\n\r\n`, expect: ['200', 'x', 'end'] },
  { name: 'that goes on', input: `${chunked}3\r\nhel\r\n`, expect: ['200', 'hel'] },
  {
    name: 'after one that is not yet the answer',
    input: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    expect: ['200', 'ok', 'end'],
  },
  {
    name: 'one behind the other',
    input: `HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno${chunked}1\r\ny\r\n0\r\n\r\n`,
    expect: ['404', 'no', 'end', '200', 'y', 'end'],
  },
];

function read(parts: readonly string[]): string[] {
  const said: string[] = [];
  let body = '';
  const told = (): void => {
    said.push(body);
    body = '';
  };
  const reader = new AnswerReader({
    head: status => said.push(String(status)),
    body: bytes => (body += bytes.toString()),
    end() {
      told();
      said.push('end');
    },
  });
  for (const part of parts) reader.push(Buffer.from(part));
  if (body !== '') told();
  return said;
}

for (const { name, input, expect } of cases)
  t.test(`an answer ${name}, however it is cut`, async t => {
    t.same(read([input]), expect);
    t.same(read([...input]), expect);
    for (let at = 1; at < input.length; at++) t.same(read([input.slice(0, at), input.slice(at)]), expect);
  });

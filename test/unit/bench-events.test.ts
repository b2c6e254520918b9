import t from 'tap';
import { EventScanner } from '../bench/api/event-scanner.js';

const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const map = (sent?: string): object => ({ kind: 'ConfigMap', data: { a: 'b', ...(sent && { 'sent-us': sent }) } });

const cases = [
  { name: 'a creation', input: line('ADDED', map('17')), expect: ['added 17'] },
  { name: 'what was written by somebody else', input: line('MODIFIED', map()), expect: ['modified 0'] },
  {
    name: 'some at once',
    input: line('MODIFIED', map('123456789012')) + line('DELETED', map('5')),
    expect: ['modified 123456789012', 'deleted 5'],
  },
  { name: 'a bookmark', input: line('BOOKMARK', { metadata: { resourceVersion: '7' } }), expect: [] },
  {
    name: 'the end of the beginning',
    input: line('BOOKMARK', { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } }),
    expect: ['synced'],
  },
  { name: 'a field that is only named so', input: line('ADDED', { 'f:sent-us': {}, data: 1 }), expect: ['added 0'] },
  { name: 'what has not ended', input: '{"type":"ADDED","object":{', expect: [] },
];

function scan(parts: readonly string[]): string[] {
  const said: string[] = [];
  const scanner = new EventScanner({
    event: (type, sentUs) => said.push(`${type} ${sentUs}`),
    synced: () => said.push('synced'),
  });
  for (const part of parts) scanner.push(Buffer.from(part));
  return said;
}

for (const { name, input, expect } of cases)
  t.test(`${name} is read, however it is cut`, async t => {
    t.same(scan([input]), expect);
    for (let at = 1; at < input.length; at++) t.same(scan([input.slice(0, at), input.slice(at)]), expect);
  });

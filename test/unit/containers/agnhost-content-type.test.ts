import t from 'tap';
import { sniffedTextType } from '../../../src/containers/images/agnhost/content-type.js';

t.test('a text that has no type gets the one that a Go server finds', async t => {
  for (const page of ['<a href="/x">', ' \n<HTML>', '<!DOCTYPE html>', '<!-- x', '<br>', '<P>x'])
    t.equal(sniffedTextType(page), 'text/html; charset=utf-8', page);
  for (const text of ['', 'foo', '<abbr title="x">', '< a>', 'x <a href="/">', '<', '{"a":1}'])
    t.equal(sniffedTextType(text), 'text/plain; charset=utf-8', text);
});

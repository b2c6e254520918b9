import { Transform } from 'node:stream';
import type { LinkRewriter } from './link.js';
import { rewriteTag } from './tag.js';

/** A tag longer than this is passed as it is. */
const MAX_TAG = 64 << 10;
/** Elements whose content is no markup. */
const RAW_TEXT = new Set('iframe noembed noframes noscript plaintext script style textarea title xmp'.split(' '));

type State = 'text' | 'open' | 'tag' | 'declaration' | 'comment';

const isLetter = (c: string): boolean => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

/**
 * A page with its links rewritten as it streams by. Every character is looked at once and no more than one tag is kept;
 * what is not a tag passes untouched.
 */
export function rewriteLinks(rewrite: LinkRewriter): Transform {
  let state: State = 'text';
  /** What has come since "<" and is not written yet. */
  let held = '';
  /** The last characters of a comment, or the first of a declaration. Both are written as they come. */
  let recent = '';
  let quote = '';
  let afterEquals = false;
  /** Name of the element whose text we are in. */
  let rawText = '';

  const endOfTag = (tag: string): string => {
    const name = /^<\/?([A-Za-z0-9]{1,32})/.exec(tag)?.[1]?.toLowerCase() ?? '';
    if (rawText !== '') {
      // Only its own end tag is one.
      if (tag.startsWith('</') && name === rawText) rawText = '';
      return tag;
    }
    if (tag.startsWith('</')) return tag;
    if (RAW_TEXT.has(name) && !tag.endsWith('/>')) rawText = name;
    return rewriteTag(tag, rewrite);
  };

  const feed = (text: string): string => {
    let out = '';
    let at = 0;
    while (at < text.length) {
      if (state === 'text') {
        const found = text.indexOf('<', at);
        out += found < 0 ? text.slice(at) : text.slice(at, found);
        if (found < 0) return out;
        state = 'open';
        held = '<';
        at = found + 1;
        continue;
      }
      const c = text[at++] ?? '';
      if (state === 'open') {
        // "</" waits for the letter behind it; in text of its own, nothing but an end tag begins a tag.
        const first = held.length === 1;
        if (c === '<') {
          out += held;
          held = '<';
        } else if (first && c === '/') held += c;
        else if (first && rawText === '' && (c === '!' || c === '?')) {
          out += held + c;
          held = '';
          recent = '';
          state = 'declaration';
        } else if (isLetter(c) && (!first || rawText === '')) {
          held += c;
          quote = '';
          afterEquals = false;
          state = 'tag';
        } else {
          out += held + c;
          held = '';
          state = 'text';
        }
      } else if (state === 'tag') {
        held += c;
        if (quote !== '') {
          if (c === quote) quote = '';
        } else if (afterEquals && (c === '"' || c === "'")) quote = c;
        else if (c === '>') {
          out += endOfTag(held);
          held = '';
          state = 'text';
          continue;
        }
        if (c === '=') afterEquals = quote === '';
        else if (!/\s/.test(c)) afterEquals = false;
        if (held.length > MAX_TAG) {
          out += held;
          held = '';
          state = 'text';
        }
      } else {
        out += c;
        recent = (recent + c).slice(-3);
        if (state === 'declaration' && recent === '--') {
          // Already enough for "-->": a comment may be empty.
          state = 'comment';
        } else if (state === 'comment' ? recent === '-->' : c === '>') state = 'text';
        else if (state === 'declaration' && recent.length === 3) recent = '   ';
      }
    }
    return out;
  };

  // Bytes as characters, so that no encoding is misread; URLs are ASCII.
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(feed(chunk.toString('latin1')), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(held, 'latin1'));
    },
  });
}

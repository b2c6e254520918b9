import type { Mark, YamlReader } from './yaml-reader.js';

/** What stands before a node or a document: anchors, tags and directives. Aliases are written as anchors are. */

const ALPHA = /^[0-9A-Za-z_-]$/;
const URI = /^[0-9A-Za-z_;/?:@&=+$,.!~*'()[\]%-]$/;
const AFTER_NAME = /^[?:,\]}%@`]$/;
const MAX_VERSION_DIGITS = 2;

/** An anchor or alias. */
export function anchorName(reader: YamlReader): string {
  const start = reader.mark;
  reader.skip();
  const name = reader.skipWhile(ALPHA);
  if (name === '' || !(reader.isBlankOrEnd() || AFTER_NAME.test(reader.char())))
    throw reader.error('did not find expected alphabetic or numeric character', start);
  return name;
}

/** A part of a tag. */
function readUri(reader: YamlReader, start: Mark): string {
  const uri = reader.skipWhile(URI);
  if (/%(?![0-9a-fA-F]{2})/.test(uri)) throw reader.error('did not find URI escaped octet', start);
  if (!uri.includes('%')) return uri;
  try {
    return decodeURIComponent(uri);
  } catch (error) {
    if (error instanceof URIError) throw reader.error('found an incorrect leading UTF-8 octet', start);
    throw error;
  }
}

/** A tag: its handle is "!", "!!" or "!name!", or '' where it is verbatim. */
export function readTag(reader: YamlReader): { handle: string; suffix: string } {
  const start = reader.mark;
  let handle = '';
  let suffix: string;
  if (reader.char(1) === '<') {
    reader.skip();
    reader.skip();
    suffix = readUri(reader, start);
    if (suffix === '') throw reader.error('did not find expected tag URI', start);
    if (reader.char() !== '>') throw reader.error("did not find the expected '>'", start);
    reader.skip();
  } else {
    reader.skip();
    handle = `!${reader.skipWhile(ALPHA)}`;
    if (reader.char() === '!') {
      reader.skip();
      handle += '!';
      suffix = readUri(reader, start);
      if (suffix === '') throw reader.error('did not find expected tag URI', start);
    } else {
      suffix = handle.slice(1) + readUri(reader, start);
      handle = '!';
    }
  }
  if (!reader.isBlankOrEnd()) throw reader.error('did not find expected whitespace or line break', start);
  return { handle, suffix };
}

/** "YAML", with the version it asks for, or "TAG", with the handle it declares and what that stands for. */
export function readDirective(reader: YamlReader): readonly string[] {
  const start = reader.mark;
  reader.skip();
  const name = reader.skipWhile(ALPHA);
  if (name === '') throw reader.error('could not find expected directive name', start);
  if (!reader.isBlankOrEnd()) throw reader.error('found unexpected non-alphabetical character', start);
  const blanks = (): void => {
    while (reader.isBlank()) reader.skip();
  };
  blanks();
  const words = [name];
  if (name === 'YAML') words.push(version(reader, start));
  else if (name === 'TAG') {
    words.push(reader.skipWhile(/^[^\s]$/));
    blanks();
    words.push(readUri(reader, start));
  } else throw reader.error('found unknown directive name', start);
  blanks();
  if (reader.char() === '#') reader.skipLine();
  if (!reader.isBreakOrEnd()) throw reader.error('did not find expected comment or line break', start);
  if (reader.isBreak()) reader.skip();
  return words;
}

function version(reader: YamlReader, start: Mark): string {
  const number = (): string => {
    const digits = reader.skipWhile(/^\d$/);
    if (digits === '') throw reader.error('did not find expected version number', start);
    if (digits.length > MAX_VERSION_DIGITS) throw reader.error('found extremely long version number', start);
    return String(Number(digits));
  };
  const major = number();
  if (reader.char() !== '.') throw reader.error("did not find expected digit or '.' character", start);
  reader.skip();
  return `${major}.${number()}`;
}

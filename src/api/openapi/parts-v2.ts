import type { Steps } from '../../machinery/steps.js';
import { documentV2Protobuf } from './document-v2-protobuf.js';
import { createBytes } from './document-bytes.js';

type Json = Record<string, unknown>;
const SECTIONS = ['paths', 'definitions', 'parameters'] as const;
type Section = (typeof SECTIONS)[number];

/** A document in pieces: the JSON of each member of what documents can be joined by, and of the rest. */
export type PartV2 = Readonly<Record<Section | 'rest', ReadonlyMap<string, string>>>;

export function* partOf(document: Json): Steps<PartV2> {
  const part = emptyPart();
  for (const [name, value] of Object.entries(document)) {
    const section = SECTIONS.find(each => each === name);
    if (section === undefined) part.rest.set(name, JSON.stringify(value));
    else
      for (const [key, member] of Object.entries(value as Json)) {
        part[section].set(key, JSON.stringify(member));
        yield;
      }
  }
  return part;
}

/** A part as lines, which can be read without a parser that reads all of it at once. */
export const linesOf = (part: PartV2): string =>
  ([...SECTIONS, 'rest'] as const)
    .flatMap(section => [...part[section]].map(([name, text]) => `${section} ${JSON.stringify(name)}\n${text}\n`))
    .join('');

export function* readLines(bytes: Buffer): Steps<PartV2> {
  const part = emptyPart();
  const NEWLINE = 0x0a;
  const line = (start: number): number => {
    const end = bytes.indexOf(NEWLINE, start);
    return end < 0 ? bytes.length : end;
  };
  for (let at = 0; at < bytes.length;) {
    const head = line(at);
    const end = line(head + 1);
    const key = bytes.toString('utf8', at, head);
    const space = key.indexOf(' ');
    part[key.slice(0, space) as Section].set(
      JSON.parse(key.slice(space + 1)) as string,
      bytes.toString('utf8', head + 1, end),
    );
    at = end + 1;
    yield;
  }
  return part;
}

const emptyPart = (): Record<Section | 'rest', Map<string, string>> => ({
  paths: new Map(),
  definitions: new Map(),
  parameters: new Map(),
  rest: new Map(),
});

/** What several say, the last one says best; what is no list of members is the last one's. */
export function* joined(parts: readonly PartV2[]): Steps<Buffer> {
  const bytes = createBytes();
  let before = '{';
  for (const [name, text] of parts.at(-1)?.rest ?? []) {
    bytes.add(`${before}${JSON.stringify(name)}:${text}`);
    before = ',';
  }
  for (const section of SECTIONS) {
    const members = new Map<string, string>();
    for (const part of parts) {
      for (const [name, text] of part[section]) members.set(name, text);
      yield;
    }
    bytes.add(`${before}${JSON.stringify(section)}:{`);
    before = ',';
    let between = '';
    for (const [name, text] of members) {
      bytes.add(`${between}${JSON.stringify(name)}:${text}`);
      between = ',';
      yield;
    }
    bytes.add('}');
  }
  bytes.add('}');
  return bytes.finish();
}

/** So much JSON of definitions becomes one message. */
const MESSAGE = 1 << 18;

/**
 * The definitions that `known` does not have, as messages of one document after another: by the rules of protobuf they
 * are one.
 */
export function* joinedProtobuf(
  info: { readonly title: string; readonly version: string },
  parts: readonly PartV2[],
  known: PartV2,
): Steps<Buffer[]> {
  const messages: Buffer[] = [];
  let definitions: Json = {};
  let length = 0;
  const flush = (): void => {
    if (length > 0) messages.push(documentV2Protobuf({ info, definitions }));
    definitions = {};
    length = 0;
  };
  for (const part of parts)
    for (const [name, text] of part.definitions) {
      if (known.definitions.has(name)) continue;
      definitions[name] = JSON.parse(text) as unknown;
      length += text.length;
      if (length >= MESSAGE) flush();
      yield;
    }
  flush();
  return messages;
}

import type { JsonObject } from '../../machinery/types.js';

/** JSON that is there already: a long list is neither parsed nor encoded again to be recorded. */
export class RawJson {
  constructor(private readonly chunks: readonly Buffer[]) {}

  toJSON(): unknown {
    return JSON.parse(this.bytes().toString('utf8'));
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

const members = (entries: readonly (readonly [string, unknown])[]): string =>
  JSON.stringify(Object.fromEntries(entries)).slice(1, -1);

/** An event as a line of the log; one of its fields may be raw. */
export function eventLine(event: JsonObject): Buffer {
  const entries = Object.entries(event);
  const at = entries.findIndex(([, value]) => value instanceof RawJson);
  if (at < 0) return Buffer.from(`${JSON.stringify(event)}\n`);
  const [name, raw] = entries[at] as unknown as [string, RawJson];
  const [before, behind] = [members(entries.slice(0, at)), members(entries.slice(at + 1))];
  return Buffer.concat([
    Buffer.from(`{${before}${before === '' ? '' : ','}${JSON.stringify(name)}:`),
    raw.bytes(),
    Buffer.from(`${behind === '' ? '' : ','}${behind}}\n`),
  ]);
}

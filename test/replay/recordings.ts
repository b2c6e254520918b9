import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/root.js';

/** A recording is a file of lines, each one JSON: what it is about first, then its steps. */
export interface Recording<Head, Step> {
  readonly head: Head;
  readonly steps: readonly Step[];
}

export type Area = 'wire' | 'kubectl' | 'proxy';

export const RECORDINGS = join(ROOT, 'test/recordings');

export function parseRecording<Head, Step>(text: string): Recording<Head, Step> {
  const [head, ...steps] = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as unknown);
  return { head: head as Head, steps: steps as Step[] };
}

/** A line per step, so that a difference shows which one changed. */
export const printRecording = ({ head, steps }: Recording<unknown, unknown>): string =>
  [head, ...steps].map(line => `${JSON.stringify(line)}\n`).join('');

/** Name → text of every recording of the repository. */
export const ownRecordings = (area: Area): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(RECORDINGS, area))
      .filter(file => file.endsWith('.ndjson'))
      .sort()
      .map(file => [file.replace(/\.ndjson$/, ''), readFileSync(join(RECORDINGS, area, file), 'utf8')]),
  );

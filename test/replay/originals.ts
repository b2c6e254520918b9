import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/root.js';
import type { Area } from './recordings.js';
import { printRecording } from './recordings.js';

/** Where whoever has the original recordings keeps them: beside the repository. */
export const ORIGINALS = join(ROOT, '../shared');

const FOLDERS: Readonly<Record<Area, string>> = {
  wire: 'corpus/scenarios',
  kubectl: 'kubectl-corpus/scripts',
  proxy: 'proxy-corpus/cases',
};

type Original = Record<string, unknown> & { readonly steps?: readonly Record<string, unknown>[] };
type Rules = Record<string, unknown>;

const without = (object: object, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** What is programmed, by mode. */
const rulesOf = (recorded: unknown): Rules => recorded as Rules;

/** What the name of the Service and the kind of its address add is known from the address; so is whether there was SNAT. */
function packetsOf(packets: unknown): object {
  const modes = Object.entries((packets ?? {}) as Record<string, { readonly probes: readonly object[] }>);
  return Object.fromEntries(
    modes.map(([mode, { probes }]) => [
      mode,
      probes.map(probe => without(probe, 'service', 'kind', 'n', 'snat', 'leftTheNode')),
    ]),
  );
}

function proxyCase(original: Original): string {
  const head = {
    ...without(original, 'steps', 'recorded', 'packets', 'udpFlow', 'rawWithCounters'),
    packets: packetsOf(original['packets']),
  };
  const first = { about: 'at the start', rules: rulesOf(original['recorded']) };
  const later = (original.steps ?? []).map(step => ({
    ...without(step, 'recorded'),
    rules: rulesOf(step['recorded']),
  }));
  return printRecording({ head, steps: [first, ...later] });
}

/** How many events to wait for is how many there are. */
const counted = (step: Record<string, unknown>): Record<string, unknown> =>
  step['collect'] === undefined ? step : { ...step, collect: without(step['collect'] as object, 'count') };

const session = (original: Original): string =>
  printRecording({ head: without(original, 'steps', 'area'), steps: (original.steps ?? []).map(counted) });

/** Name → text, in the repository's form, of what is in the folder; undefined: there is none. */
export function originalRecordings(area: Area, folder = ORIGINALS): ReadonlyMap<string, string> | undefined {
  return read(join(folder, FOLDERS[area]), area);
}

/** Those that only lie beside the repository, by their topic: "network". */
export const extensionRecordings = (topic: string): ReadonlyMap<string, string> | undefined =>
  read(join(ORIGINALS, 'extension-corpus', topic), 'wire');

function read(from: string, area: Area): ReadonlyMap<string, string> | undefined {
  if (!existsSync(from)) return undefined;
  const files = readdirSync(from).filter(file => file.endsWith('.json'));
  return new Map(
    files.sort().map(file => {
      const original = JSON.parse(readFileSync(join(from, file), 'utf8')) as Original;
      return [file.replace(/\.json$/, ''), area === 'proxy' ? proxyCase(original) : session(original)];
    }),
  );
}

/** Those that the repository has not, or has otherwise; undefined: there is no folder. */
export function differingOriginals(
  area: Area,
  own: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> | undefined {
  const originals = originalRecordings(area);
  return originals && new Map([...originals].filter(([name, text]) => own.get(name) !== text));
}

import { createHash } from 'node:crypto';

/** What tsc writes down of an incremental build, as far as it is read here. Ids are positions in `fileNames` and begin with 1. */
export interface BuildInfo {
  /** Relative to the folder of the file. */
  readonly fileNames: readonly string[];
  /** The hash of the text; with the one of what others see of it where that is not the same. */
  readonly fileInfos: readonly (string | FileInfo)[];
  readonly fileIdsList: readonly (readonly number[])[];
  /** Who imports whom: a file's id, and the position of a list of ids, which begins with 1, too. */
  readonly referencedMap: readonly (readonly [number, number])[];
}

interface FileInfo {
  readonly version: string;
  /** Of the declarations that the text makes. */
  readonly signature?: string | false;
  readonly affectsGlobalScope?: boolean;
}

const hash = (parts: Iterable<string>): string => {
  const made = createHash('sha256');
  for (const part of parts) made.update(part).update('\n');
  return made.digest('hex');
};

export const textHash = (text: string): string => createHash('sha256').update(text).digest('hex');

export interface LintKey {
  /** {@link textHash} of what was compiled. */
  readonly version: string;
  /** Another one: the file may be judged otherwise. */
  readonly key: string;
}

/**
 * What the judgement about each file depends on: its text, and the declarations of everything that it imports, however far
 * away, as rules ask for types; `rest` is what it depends on for all. Not so the inside of what is imported. Of a file that
 * does not say all of that, nothing is known.
 */
export function lintKeys(info: Partial<BuildInfo>, rest: readonly string[]): ReadonlyMap<string, LintKey> {
  const { fileNames, fileInfos, fileIdsList, referencedMap } = info;
  if (!fileNames || !fileInfos || !fileIdsList || !referencedMap) return new Map();
  const infos = fileInfos.map((each): FileInfo => (typeof each === 'string' ? { version: each } : each));
  const seen = infos.map(({ version, signature }) => (typeof signature === 'string' ? signature : version));
  const everywhere = seen.filter((_, i) => infos[i]?.affectsGlobalScope === true);
  const imports = new Map(
    referencedMap.map(([id, list]) => [id - 1, (fileIdsList[list - 1] ?? []).map(each => each - 1)]),
  );
  const below = (file: number): number[] => {
    const found = new Set<number>();
    const left = [...(imports.get(file) ?? [])];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      for (const each of imports.get(next) ?? []) left.push(each);
    }
    return [...found].sort((a, b) => a - b);
  };
  const common = hash([...rest, ...everywhere]);
  return new Map(
    infos.map(({ version }, i) => {
      const declarations = below(i).map(each => `${fileNames[each]} ${seen[each]}`);
      return [fileNames[i] ?? '', { version, key: hash([common, version, ...declarations]) }];
    }),
  );
}

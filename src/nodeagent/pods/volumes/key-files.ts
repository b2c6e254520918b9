import type { Files } from './own-trees.js';

export type KeyItems = readonly { readonly key: string; readonly path: string; readonly mode?: number }[] | undefined;

interface Selection {
  readonly items: KeyItems;
  readonly optional: boolean | undefined;
  readonly defaultMode: number;
  /** What upstream's message calls the object and its keys. */
  readonly kind: string;
  readonly what: string;
}

/** The wanted keys of a ConfigMap or Secret as files; without items all of them. @throws Error */
export function select(
  data: Readonly<Record<string, string | Buffer>>,
  { items, optional, defaultMode, kind, what }: Selection,
): Files {
  const wanted: NonNullable<KeyItems> = items ?? Object.keys(data).map(key => ({ key, path: key }));
  const files: Files = {};
  for (const { key, path, mode } of wanted) {
    const content = data[key];
    if (content !== undefined) files[path] = { content, mode: mode ?? defaultMode };
    else if (optional !== true) throw new Error(`${kind} references non-existent ${what} key: ${key}`);
  }
  return files;
}

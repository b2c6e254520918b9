import { downwardFiles, type DownwardItems } from './downward-files.js';
import { select, type KeyItems } from './key-files.js';
import { DEFAULT_MODE, type Files } from './own-trees.js';
import { tokenFile, type TokenRequest } from './token-file.js';
import type { VolumeInput } from './volume-input.js';

/** Where files come from; volumes of one source are written as this, too. */
export interface Projection {
  readonly configMap?: Keys;
  readonly secret?: Keys;
  readonly downwardAPI?: { readonly items?: DownwardItems };
  readonly serviceAccountToken?: TokenRequest;
}

interface Keys {
  readonly name?: string;
  readonly items?: KeyItems;
  readonly optional?: boolean;
}

/** The files of one source; `mode` is theirs unless an item says otherwise. @throws Error */
export async function projection(source: Projection, mode: number | undefined, input: VolumeInput): Promise<Files> {
  const files: Files = {};
  const defaultMode = mode ?? DEFAULT_MODE;
  if (source.configMap !== undefined) Object.assign(files, await configMapFiles(source.configMap, defaultMode, input));
  if (source.secret !== undefined) Object.assign(files, await secretFiles(source.secret, defaultMode, input));
  Object.assign(files, downwardFiles(source.downwardAPI?.items ?? [], defaultMode, input));
  if (source.serviceAccountToken !== undefined)
    Object.assign(files, tokenFile(source.serviceAccountToken, defaultMode, input));
  return files;
}

async function configMapFiles(
  { name = '', items, optional }: Keys,
  defaultMode: number,
  { pod, sources }: VolumeInput,
): Promise<Files> {
  const found = await sources.configMap(pod.metadata.namespace ?? '', name);
  if (found === undefined && optional !== true) throw new Error(`configmap "${name}" not found`);
  const data: Record<string, string | Buffer> = { ...found?.data };
  for (const [key, value] of Object.entries(found?.binaryData ?? {})) data[key] = Buffer.from(value, 'base64');
  return select(data, { items, optional, defaultMode, kind: 'configmap', what: 'config' });
}

async function secretFiles(
  { name = '', items, optional }: Keys,
  defaultMode: number,
  { pod, sources }: VolumeInput,
): Promise<Files> {
  const found = await sources.secret(pod.metadata.namespace ?? '', name);
  if (found === undefined && optional !== true) throw new Error(`secret "${name}" not found`);
  const data = Object.fromEntries(
    Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  );
  return select(data, { items, optional, defaultMode, kind: 'secret', what: 'secret' });
}

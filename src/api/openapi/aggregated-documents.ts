import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../api-schemas.js';
import { behindAggregator } from './fixed-operations.js';
import { fileNames, GENERATED, pathOf, type AggregatedDocuments, type GroupVersion } from './generated.js';

const pathsOf = (gv: GroupVersion): string[] => [...behindAggregator([gv]).map(({ path }) => path), pathOf(gv)];

/** What the build has made; run from source: made now, without descriptions. @throws Error when api-schemas/ has none */
export async function aggregatedDocuments(
  gv: GroupVersion,
  folder = join(packageFolder('api-schemas'), '..', GENERATED),
): Promise<AggregatedDocuments> {
  const names = fileNames(gv);
  if (!existsSync(join(folder, names.v2))) {
    // Who makes them knows all of the API, which takes longer to load than the rest of a controller manager.
    const { documentsFromSource } = await import('./aggregated.js');
    return documentsFromSource(gv);
  }
  const read = (file: string): Promise<Buffer> => readFile(join(folder, file));
  const v3 = pathsOf(gv).map(async path => [path, await read(names.v3(path))] as const);
  return { v2: await read(names.v2), v3: new Map(await Promise.all(v3)) };
}

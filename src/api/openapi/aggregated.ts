import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../api-schemas.js';
import { loadApi, type Api } from '../load.js';
import { documentV2 } from './document-v2.js';
import { documentV3, fixedDocumentV3 } from './document-v3.js';
import { fileOf, GENERATED, pathOf, TITLE } from './documents.js';
import { behindAggregator } from './fixed-operations.js';
import type { Descriptions } from './schemas.js';

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** OpenAPI of a group-version that a server of ours behind the API server serves, as JSON. */
export interface AggregatedDocuments {
  readonly v2: Buffer;
  /** By path below /openapi/v3/. */
  readonly v3: ReadonlyMap<string, Buffer>;
}

/** Such a server writes nothing else. */
const MEDIA = ['application/json'];
const bytesOf = (document: object): Buffer => Buffer.from(JSON.stringify(document));
const fileNames = (gv: GroupVersion): { readonly v2: string; readonly v3: (path: string) => string } => {
  const folder = join('aggregated', `${gv.group}_${gv.version}`);
  return { v2: join(folder, 'v2.json'), v3: path => join(folder, 'v3', fileOf(path)) };
};
const pathsOf = (gv: GroupVersion): string[] => [...behindAggregator([gv]).map(({ path }) => path), pathOf(gv)];

/** @param api what is served behind the API server: `loadApi(folder, 'aggregated')` */
function makeDocuments(api: Api, gv: GroupVersion, descriptions: Descriptions): AggregatedDocuments {
  const mine = api.resources.filter(({ group, version }) => group === gv.group && version === gv.version);
  const title = { ...TITLE, title: `Kubernetes ${gv.group}` };
  const options = { fixed: behindAggregator, media: MEDIA };
  return {
    v2: bytesOf(documentV2(api, mine, descriptions, title, undefined, options)),
    v3: new Map([
      ...behindAggregator([gv]).map(
        fixed => [fixed.path, bytesOf(fixedDocumentV3(api, fixed, descriptions, title, MEDIA))] as const,
      ),
      [pathOf(gv), bytesOf(documentV3(api, mine, gv, descriptions, title, { media: MEDIA }))],
    ]),
  };
}

/** The documents as files, for the build to write. */
export function aggregatedFiles(api: Api, descriptions: Descriptions): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const gv of api.groupVersions) {
    const { v2, v3 } = makeDocuments(api, gv, descriptions);
    const names = fileNames(gv);
    files.set(names.v2, v2);
    for (const [path, bytes] of v3) files.set(names.v3(path), bytes);
  }
  return files;
}

/** What the build has made; run from source: made now, without descriptions. @throws Error when api-schemas/ has none */
export async function aggregatedDocuments(
  gv: GroupVersion,
  folder = join(packageFolder('api-schemas'), '..', GENERATED),
): Promise<AggregatedDocuments> {
  const names = fileNames(gv);
  if (!existsSync(join(folder, names.v2))) return makeDocuments(loadApi(undefined, 'aggregated'), gv, new Map());
  const read = (file: string): Promise<Buffer> => readFile(join(folder, file));
  const v3 = pathsOf(gv).map(async path => [path, await read(names.v3(path))] as const);
  return { v2: await read(names.v2), v3: new Map(await Promise.all(v3)) };
}

import { loadApi, type Api } from '../load.js';
import { documentV2 } from './document-v2.js';
import { documentV3, fixedDocumentV3 } from './document-v3.js';
import { TITLE } from './documents.js';
import { fileNames, pathOf, type AggregatedDocuments, type GroupVersion } from './generated.js';
import { behindAggregator } from './fixed-operations.js';
import type { Descriptions } from './schemas.js';

/** Such a server writes nothing else. */
const MEDIA = ['application/json'];
const bytesOf = (document: object): Buffer => Buffer.from(JSON.stringify(document));
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

/** Without descriptions. @throws Error when api-schemas/ has none */
export const documentsFromSource = (gv: GroupVersion): AggregatedDocuments =>
  makeDocuments(loadApi(undefined, 'aggregated'), gv, new Map());

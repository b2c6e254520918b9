import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { atOnce } from '../../machinery/steps.js';
import { packageFolder, readApiSchemas } from '../api-schemas.js';
import { loadApi } from '../load.js';
import { aggregatedFiles } from '../openapi/aggregated.js';
import { sha512 } from '../openapi/document-bytes.js';
import { documentV2 } from '../openapi/document-v2.js';
import { documentV2Protobuf } from '../openapi/document-v2-protobuf.js';
import { documentV3, fixedDocumentV3 } from '../openapi/document-v3.js';
import { servedGroupVersions, TITLE } from '../openapi/documents.js';
import { fileOf, GENERATED, OWN_TEXTS, pathOf } from '../openapi/generated.js';
import { fixedDocuments } from '../openapi/fixed-operations.js';
import { linesOf, partOf } from '../openapi/parts-v2.js';
import { checkApiSchemas } from './check-schemas.js';
import { describe, ownDescriptions, readModelDocs } from './descriptions.js';

/** Types that documents about kinds of run time refer to, beside their own. */
const isOfOwn = (key: string): boolean => /^io\.k8s\.(?:apimachinery\.pkg\.|api\.autoscaling\.v1\.Scale)/.test(key);

/** The build step: checks api-schemas/ and writes the OpenAPI documents, with upstream's descriptions. */
function main(): void {
  const schemas = packageFolder('api-schemas');
  checkApiSchemas(schemas);
  const api = loadApi(schemas);
  const descriptions = describe(api, readModelDocs());
  const folder = join(schemas, '..', GENERATED);
  const written = new Set<string>();
  // File by file and each in one step: a server that is running reads them while they are made anew.
  const put = (file: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, `${file}.tmp`), content);
    renameSync(join(folder, `${file}.tmp`), join(folder, file));
    written.add(file);
  };
  const hashes: Record<string, string> = {};
  const write = (path: string, document: object): void => {
    const bytes = Buffer.from(JSON.stringify(document));
    put(join('v3', fileOf(path)), bytes);
    hashes[path] = sha512(bytes);
  };
  for (const gv of api.groupVersions) write(pathOf(gv), documentV3(api, api.resources, gv, descriptions, TITLE));
  for (const fixed of fixedDocuments(servedGroupVersions(api.resources)))
    write(fixed.path, fixedDocumentV3(api, fixed, descriptions, TITLE));
  const v2 = documentV2(api, api.resources, descriptions, TITLE);
  put(OWN_TEXTS, JSON.stringify([...descriptions].filter(([key]) => isOfOwn(key))));
  put('v2.json', JSON.stringify(v2));
  put('v2.lines', linesOf(atOnce(partOf(v2 as Record<string, unknown>))));
  put('v2.pb', documentV2Protobuf(v2));
  const behind = loadApi(schemas, 'aggregated');
  const own = ownDescriptions(readApiSchemas(schemas, 'aggregated').files);
  const texts = new Map([...describe(behind, readModelDocs()), ...own]);
  for (const [file, bytes] of aggregatedFiles(behind, texts)) put(file, bytes);
  // Last: its presence says that the folder is whole.
  put('hashes.json', JSON.stringify(hashes));
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (!written.has(file) && statSync(join(folder, file)).isFile()) rmSync(join(folder, file));
}

main();

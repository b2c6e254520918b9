import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../api-schemas.js';
import type { MutableCatalog } from '../create-catalog.js';
import { apiVersionOf } from '../resource-info.js';
import { documentV2 } from './document-v2.js';
import { documentV2Protobuf } from './document-v2-protobuf.js';
import { documentV3, fixedDocumentV3, type OwnKinds } from './document-v3.js';
import { fixedDocuments } from './fixed-operations.js';

/** OpenAPI documents as bytes: JSON, but for v2Protobuf. */
export interface OpenApiDocuments {
  /** "api/v1", "apis/apps/v1", ... */
  paths(): readonly string[];
  /** undefined: no such path. */
  v3(path: string): Promise<Buffer | undefined>;
  /** Upper-case SHA-512 of a document; changes when the document does. */
  hash(path: string): Promise<string>;
  v2(): Promise<Buffer>;
  /** The protobuf form that kubectl before 1.29 needs. */
  v2Protobuf(): Promise<Buffer>;
}

export const TITLE = { title: 'Kubernetes', version: '1.35' };
/** Of documents about kinds that are known at run time only. */
const OWN_TITLE = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' };

/** Where the build step leaves the documents, with descriptions. */
export const GENERATED = 'build/generated/openapi';
export const fileOf = (path: string): string => `${path.replaceAll('/', '_')}.json`;

export const pathOf = (gv: { group: string; version: string }): string =>
  gv.group === '' ? `api/${gv.version}` : `apis/${apiVersionOf(gv)}`;

/** The group-versions that have resources. */
export const servedGroupVersions = (
  resources: readonly { readonly group: string; readonly version: string }[],
): readonly { readonly group: string; readonly version: string }[] => [
  ...new Map(resources.map(({ group, version }) => [`${group}/${version}`, { group, version }])).values(),
];

export const sha512 = (bytes: Buffer): string => createHash('sha512').update(bytes).digest('hex').toUpperCase();

function generatedFolder(): string | undefined {
  const folder = join(packageFolder('api-schemas'), '..', GENERATED);
  return existsSync(join(folder, 'hashes.json')) ? folder : undefined;
}

/**
 * Serves what the build made. What it did not make (custom resources, or everything when run from source) is built
 * when first asked for, without descriptions.
 */
export function createOpenApiDocuments(catalog: MutableCatalog, folder = generatedFolder()): OpenApiDocuments {
  const { api } = catalog;
  const none: ReadonlyMap<string, string> = new Map();
  const groupVersionAt = (path: string) => catalog.groupVersions().find(gv => pathOf(gv) === path);
  const fixed = () => fixedDocuments(catalog.groupVersions());
  const fixedAt = (path: string) => fixed().find(document => document.path === path);
  const infos = () => catalog.entries().map(entry => entry.info);
  const own: OwnKinds = info => {
    const definition = info && catalog.find(info.group, info.version, info.plural)?.schema.openapi;
    return info === undefined || definition === undefined ? undefined : { info, definition };
  };
  const hasOwn = () => infos().some(info => own(info) !== undefined);
  const isOwn = (path: string) => infos().some(info => pathOf(info) === path && own(info) !== undefined);

  let built = new Map<string, Promise<Buffer | undefined>>();
  let hashes: Promise<Record<string, string>> | undefined;
  let generation = catalog.generation;
  const cached = (key: string, make: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> => {
    if (generation !== catalog.generation) {
      built = new Map();
      generation = catalog.generation;
    }
    const known = built.get(key) ?? make();
    built.set(key, known);
    return known;
  };
  const v3 = (path: string): Promise<Buffer | undefined> =>
    cached(path, async () => {
      const fixed = fixedAt(path);
      const gv = groupVersionAt(path);
      if (gv === undefined && fixed === undefined) return undefined;
      const file = folder === undefined || isOwn(path) ? undefined : join(folder, 'v3', fileOf(path));
      if (file !== undefined && existsSync(file)) return readFile(file);
      if (fixed !== undefined) return Buffer.from(JSON.stringify(fixedDocumentV3(api, fixed, none, TITLE)));
      if (gv === undefined) return undefined;
      return Buffer.from(JSON.stringify(documentV3(api, infos(), gv, none, isOwn(path) ? OWN_TITLE : TITLE, own)));
    });
  const definite = async (bytes: Promise<Buffer | undefined>): Promise<Buffer> => (await bytes) ?? Buffer.alloc(0);
  const v2 = (): Promise<Buffer> =>
    definite(
      cached('v2', async () =>
        folder !== undefined && !hasOwn()
          ? readFile(join(folder, 'v2.json'))
          : Buffer.from(JSON.stringify(documentV2(api, infos(), none, TITLE, own))),
      ),
    );
  return {
    paths: () => [...fixed().map(({ path }) => path), ...catalog.groupVersions().map(pathOf)].sort(),
    v3,
    async hash(path) {
      if (folder !== undefined && !isOwn(path)) {
        hashes ??= readFile(join(folder, 'hashes.json'), 'utf8').then(
          text => JSON.parse(text) as Record<string, string>,
        );
        const known = (await hashes)[path];
        if (known !== undefined) return known;
      }
      return sha512(await definite(v3(path)));
    },
    v2,
    v2Protobuf: () =>
      definite(
        cached('v2.pb', async () =>
          folder !== undefined && !hasOwn()
            ? readFile(join(folder, 'v2.pb'))
            : documentV2Protobuf(JSON.parse((await v2()).toString()) as Record<string, unknown>),
        ),
      ),
  };
}

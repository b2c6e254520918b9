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
  const isBuiltIn = (gv: { group: string; version: string }): boolean =>
    catalog.served(gv.group, gv.version).some(({ schema }) => schema.openapi === undefined);
  const fixed = () => fixedDocuments(catalog.groupVersions().filter(isBuiltIn));
  const fixedAt = (path: string) => fixed().find(document => document.path === path);
  const infos = () => catalog.entries().map(entry => entry.info);
  const own: OwnKinds = info => {
    const definition = info && catalog.find(info.group, info.version, info.plural)?.schema.openapi;
    return info === undefined || definition === undefined ? undefined : { info, definition };
  };
  const hasOwn = () => infos().some(info => own(info) !== undefined);
  const isOwn = (path: string) => {
    const gv = groupVersionAt(path);
    return gv !== undefined && catalog.served(gv.group, gv.version).some(({ info }) => own(info) !== undefined);
  };

  /** Documents as long as what they are about is what it was: one kind's coming costs the others nothing. */
  const built = new Map<string, { readonly of: readonly unknown[]; readonly bytes: Promise<Buffer | undefined> }>();
  let hashes: Promise<Record<string, string>> | undefined;
  const cached = (
    key: string,
    of: readonly unknown[],
    make: () => Promise<Buffer | undefined>,
  ): Promise<Buffer | undefined> => {
    const known = built.get(key);
    if (known !== undefined && known.of.length === of.length && known.of.every((one, i) => one === of[i]))
      return known.bytes;
    const bytes = make();
    built.set(key, { of, bytes });
    return bytes;
  };
  const v3 = (path: string): Promise<Buffer | undefined> => {
    const fixed = fixedAt(path);
    const gv = groupVersionAt(path);
    if (gv === undefined && fixed === undefined) {
      built.delete(path);
      return Promise.resolve(undefined);
    }
    return cached(path, gv === undefined ? [] : catalog.served(gv.group, gv.version), async () => {
      const file = folder === undefined || isOwn(path) ? undefined : join(folder, 'v3', fileOf(path));
      if (file !== undefined && existsSync(file)) return readFile(file);
      if (fixed !== undefined) return Buffer.from(JSON.stringify(fixedDocumentV3(api, fixed, none, TITLE)));
      if (gv === undefined) return undefined;
      const served = catalog.served(gv.group, gv.version).map(entry => entry.info);
      return Buffer.from(JSON.stringify(documentV3(api, served, gv, none, isOwn(path) ? OWN_TITLE : TITLE, own)));
    });
  };
  const definite = async (bytes: Promise<Buffer | undefined>): Promise<Buffer> => (await bytes) ?? Buffer.alloc(0);
  const ownInfos = () => infos().filter(info => own(info) !== undefined);
  /** What there is to say of kinds that are known at run time only. */
  const ownV2 = (): DocumentV2 => documentV2(api, ownInfos(), none, TITLE, own) as unknown as DocumentV2;
  const v2 = (): Promise<Buffer> =>
    definite(
      cached('v2', [catalog.generation], async () => {
        if (folder === undefined) return Buffer.from(JSON.stringify(documentV2(api, infos(), none, TITLE, own)));
        const file = await readFile(join(folder, 'v2.json'));
        return hasOwn()
          ? Buffer.from(JSON.stringify(joined(ownV2(), JSON.parse(file.toString()) as DocumentV2)))
          : file;
      }),
    );
  const v2Protobuf = (): Promise<Buffer> =>
    definite(
      cached('v2.pb', [catalog.generation], async () => {
        if (folder === undefined) return documentV2Protobuf(JSON.parse((await v2()).toString()) as Json);
        const file = await readFile(join(folder, 'v2.pb'));
        if (!hasOwn()) return file;
        const base = JSON.parse((await readFile(join(folder, 'v2.json'))).toString()) as DocumentV2;
        // Messages that follow each other are one, by the rules of protobuf.
        return Buffer.concat([file, documentV2Protobuf(news(ownV2(), base))]);
      }),
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
    v2Protobuf,
  };
}

type Json = Record<string, unknown>;
interface DocumentV2 {
  readonly paths: Json;
  readonly definitions: Json;
  readonly parameters: Json;
}

/** What is said by both, `base` says better. */
const joined = (own: DocumentV2, base: DocumentV2): DocumentV2 => ({
  ...base,
  paths: { ...own.paths, ...base.paths },
  definitions: { ...own.definitions, ...base.definitions },
  parameters: { ...own.parameters, ...base.parameters },
});

const without = (own: Json, base: Json): Json =>
  Object.fromEntries(Object.entries(own).filter(([key]) => !Object.hasOwn(base, key)));

/** What `base` does not say. */
const news = (own: DocumentV2, base: DocumentV2): Json => ({
  info: TITLE,
  paths: without(own.paths, base.paths),
  definitions: without(own.definitions, base.definitions),
  parameters: without(own.parameters, base.parameters),
});

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
    if (known !== undefined && sameMembers(known.of, of)) return known.bytes;
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
  const parts = new Map<string, { readonly of: readonly unknown[]; readonly part: PartV2 }>();
  /** What there is to say of kinds that are known at run time only, a group-version at a time: others have their turn. */
  const ownParts = async (): Promise<PartV2[]> => {
    const found: PartV2[] = [];
    const known = new Map(parts);
    parts.clear();
    for (const gv of catalog.groupVersions().filter(each => isOwn(pathOf(each)))) {
      const served = catalog.served(gv.group, gv.version);
      let one = known.get(pathOf(gv));
      if (one === undefined || !sameMembers(one.of, served)) {
        await new Promise(resolve => setImmediate(resolve));
        const mine = served.map(entry => entry.info).filter(info => own(info) !== undefined);
        one = { of: served, part: partOf(documentV2(api, mine, none, TITLE, own) as unknown as DocumentV2) };
      }
      parts.set(pathOf(gv), one);
      found.push(one.part);
    }
    return found;
  };
  let base: PartV2 | undefined;
  const v2 = (): Promise<Buffer> =>
    definite(
      cached('v2', [catalog.generation], async () => {
        if (folder === undefined) return Buffer.from(JSON.stringify(documentV2(api, infos(), none, TITLE, own)));
        const file = await readFile(join(folder, 'v2.json'));
        if (!hasOwn()) return file;
        base ??= partOf(JSON.parse(file.toString()) as DocumentV2);
        return Buffer.from(textOf([...(await ownParts()), base]));
      }),
    );
  const v2Protobuf = (): Promise<Buffer> =>
    definite(
      cached('v2.pb', [catalog.generation], async () => {
        if (folder === undefined) return documentV2Protobuf(JSON.parse((await v2()).toString()) as Json);
        const file = await readFile(join(folder, 'v2.pb'));
        if (!hasOwn()) return file;
        base ??= partOf(JSON.parse((await readFile(join(folder, 'v2.json'))).toString()) as DocumentV2);
        const news: Record<string, unknown> = {};
        for (const { definitions } of await ownParts())
          for (const [name, text] of definitions)
            if (!base.definitions.has(name)) news[name] = JSON.parse(text) as unknown;
        // Messages that follow each other are one, by the rules of protobuf.
        return Buffer.concat([file, documentV2Protobuf({ info: TITLE, definitions: news })]);
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
const SECTIONS = ['paths', 'definitions', 'parameters'] as const;
type DocumentV2 = Readonly<Record<(typeof SECTIONS)[number], Json>> & Json;

/** A document in pieces: the JSON of each member of what documents can be joined by, and the rest. */
type PartV2 = Readonly<Record<(typeof SECTIONS)[number], ReadonlyMap<string, string>>> & { readonly rest: Json };

const membersOf = (object: Json): ReadonlyMap<string, string> =>
  new Map(Object.entries(object).map(([name, value]) => [name, JSON.stringify(value)]));

const partOf = ({ paths, definitions, parameters, ...rest }: DocumentV2): PartV2 => ({
  paths: membersOf(paths),
  definitions: membersOf(definitions),
  parameters: membersOf(parameters),
  rest,
});

/** What several say, the last one says best. */
function textOf(parts: readonly PartV2[]): string {
  const sections = SECTIONS.map(section => {
    const members = new Map(parts.flatMap(part => [...part[section]]));
    return `${JSON.stringify(section)}:{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
  });
  const rest = JSON.stringify(parts.at(-1)?.rest ?? {}).slice(1, -1);
  return `{${[rest, ...sections].join(',')}}`;
}

const sameMembers = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i]);

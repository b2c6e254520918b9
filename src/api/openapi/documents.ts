import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { realClock } from '../../machinery/clock.js';
import { KUBERNETES_RELEASE } from '../../machinery/kubernetes-version.js';
import { inTurns, type Steps } from '../../machinery/steps.js';
import { createTurns } from '../../machinery/turns.js';
import { sameMembers } from '../../machinery/same-members.js';
import { packageFolder } from '../api-schemas.js';
import type { CatalogEntry } from '../catalog.js';
import type { MutableCatalog } from '../create-catalog.js';
import { bodyKinds } from './body-kinds.js';
import { jsonBytes, sha512Steps } from './document-bytes.js';
import { documentV2Steps } from './document-v2.js';
import { documentV2Protobuf } from './document-v2-protobuf.js';
import { documentV3Steps, fixedDocumentV3, type OwnKinds } from './document-v3.js';
import { fileOf, GENERATED, OWN_TEXTS, pathOf } from './generated.js';
import { fixedDocuments, type FixedDocument } from './fixed-operations.js';
import type { Descriptions } from './schemas.js';
import { joined, joinedProtobuf, partOf, readLines, type PartV2 } from './parts-v2.js';

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
  /** Of one of these documents; made once. */
  hashOf(bytes: Buffer): Promise<string>;
}

export const TITLE = { title: 'Kubernetes', version: KUBERNETES_RELEASE };
/** Of documents about kinds that are known at run time only. */
const OWN_TITLE = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' };

/** The group-versions that have resources. */
export const servedGroupVersions = (
  resources: readonly { readonly group: string; readonly version: string }[],
): readonly { readonly group: string; readonly version: string }[] => [
  ...new Map(resources.map(({ group, version }) => [`${group}/${version}`, { group, version }])).values(),
];

function generatedFolder(): string | undefined {
  const folder = join(packageFolder('api-schemas'), '..', GENERATED);
  return existsSync(join(folder, 'hashes.json')) ? folder : undefined;
}

/** What there are documents of, by path. */
interface Contents {
  readonly generation: number;
  readonly paths: readonly string[];
  readonly fixed: ReadonlyMap<string, FixedDocument>;
  readonly groupVersions: ReadonlyMap<string, GroupVersion>;
  /** Of those, the ones with kinds that are known at run time only. */
  readonly own: ReadonlySet<string>;
}

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

const isOwn = ({ schema }: CatalogEntry): boolean => schema.openapi !== undefined;

/** The kinds of these entries that api-schemas/ does not know, whatever becomes of them meanwhile. */
function ownKinds(entries: readonly CatalogEntry[]): OwnKinds {
  const known = new Map(entries.map(({ info, schema }) => [info, schema.openapi]));
  return info => {
    const definition = info && known.get(info);
    return info === undefined || definition === undefined ? undefined : { info, definition };
  };
}

/**
 * Serves what the build made. What it did not make (custom resources, or everything when run from source) is built
 * when first asked for, with descriptions of what is common to all kinds only, in steps between which others have their turn.
 */
export function createOpenApiDocuments(
  catalog: MutableCatalog,
  turns = createTurns(realClock),
  folder = generatedFolder(),
): OpenApiDocuments {
  const { api } = catalog;
  const none: ReadonlyMap<string, string> = new Map();
  const kindsOf = bodyKinds(api);
  let texts: Promise<Descriptions> | undefined;
  /** What kinds that are known at run time only share with all others. */
  const textsOfOwn = (): Promise<Descriptions> =>
    (texts ??=
      folder === undefined
        ? Promise.resolve(none)
        : readFile(join(folder, OWN_TEXTS), 'utf8').then(text => new Map(JSON.parse(text) as [string, string][])));
  const run = <T>(steps: Steps<T>): Promise<T> => inTurns(steps, turns);
  const servedBy = ({ group, version }: GroupVersion) => catalog.served(group, version);

  let known: Contents | undefined;
  const contents = (): Contents => {
    const { generation } = catalog;
    if (known?.generation === generation) return known;
    const all = catalog.groupVersions();
    const served = all.map(gv => [gv, servedBy(gv)] as const);
    const builtIn = served.filter(([, entries]) => entries.some(entry => !isOwn(entry))).map(([gv]) => gv);
    const fixed = new Map(fixedDocuments(builtIn).map(document => [document.path, document]));
    const groupVersions = new Map(all.map(gv => [pathOf(gv), gv]));
    const own = new Set(served.filter(([, entries]) => entries.some(isOwn)).map(([gv]) => pathOf(gv)));
    known = { generation, paths: [...fixed.keys(), ...groupVersions.keys()].sort(), fixed, groupVersions, own };
    return known;
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
    const { fixed, groupVersions, own } = contents();
    const about = fixed.get(path);
    const gv = groupVersions.get(path);
    if (gv === undefined && about === undefined) {
      built.delete(path);
      return Promise.resolve(undefined);
    }
    const served = gv === undefined ? [] : servedBy(gv);
    return cached(path, served, async () => {
      const file = folder === undefined || own.has(path) ? undefined : join(folder, 'v3', fileOf(path));
      if (file !== undefined && existsSync(file)) return readFile(file);
      if (about !== undefined) return Buffer.from(JSON.stringify(fixedDocumentV3(api, about, none, TITLE)));
      if (gv === undefined) return undefined;
      const infos = served.map(({ info }) => info);
      const title = own.has(path) ? OWN_TITLE : TITLE;
      const descriptions = await textsOfOwn();
      const document = documentV3Steps(api, infos, gv, descriptions, title, { own: ownKinds(served), kindsOf });
      return run(jsonBytes(await run(document)));
    });
  };
  const definite = async (bytes: Promise<Buffer | undefined>): Promise<Buffer> => (await bytes) ?? Buffer.alloc(0);

  let base: Promise<PartV2> | undefined;
  const baseOf = (from: string): Promise<PartV2> =>
    (base ??= readFile(join(from, 'v2.lines')).then(bytes => run(readLines(bytes))));
  const parts = new Map<string, { readonly of: readonly unknown[]; readonly part: Promise<PartV2> }>();
  /** What there is to say of kinds that are known at run time only, a part for each group-version. */
  const ownParts = async (beside: PartV2): Promise<PartV2[]> => {
    const { groupVersions, own } = contents();
    for (const path of parts.keys()) if (!own.has(path)) parts.delete(path);
    const elsewhere = new Set(beside.definitions.keys());
    const found: PartV2[] = [];
    for (const path of own) {
      const served = servedBy(groupVersions.get(path) as GroupVersion);
      let one = parts.get(path);
      if (one === undefined || !sameMembers(one.of, served)) {
        const mine = served.filter(isOwn);
        const infos = mine.map(({ info }) => info);
        const document = documentV2Steps(api, infos, none, TITLE, ownKinds(mine), { elsewhere, kindsOf });
        one = { of: served, part: run(document).then(made => run(partOf(made))) };
        parts.set(path, one);
      }
      found.push(await one.part);
    }
    return found;
  };
  /** Of everything, by who has no files of the build. */
  const whole = () => {
    const entries = catalog.entries();
    return documentV2Steps(
      api,
      entries.map(({ info }) => info),
      none,
      TITLE,
      ownKinds(entries),
      { kindsOf },
    );
  };
  const v2 = (): Promise<Buffer> =>
    definite(
      cached('v2', [catalog.generation], async () => {
        if (folder === undefined) return run(jsonBytes(await run(whole()), 2));
        if (contents().own.size === 0) return readFile(join(folder, 'v2.json'));
        const beside = await baseOf(folder);
        return run(joined([...(await ownParts(beside)), beside]));
      }),
    );
  const v2Protobuf = (): Promise<Buffer> =>
    definite(
      cached('v2.pb', [catalog.generation], async () => {
        if (folder === undefined) return documentV2Protobuf(await run(whole()));
        const file = await readFile(join(folder, 'v2.pb'));
        if (contents().own.size === 0) return file;
        const beside = await baseOf(folder);
        return Buffer.concat([file, ...(await run(joinedProtobuf(TITLE, await ownParts(beside), beside)))]);
      }),
    );
  const hashed = new WeakMap<Buffer, Promise<string>>();
  const hashOf = (bytes: Buffer): Promise<string> => {
    const found = hashed.get(bytes) ?? run(sha512Steps(bytes));
    hashed.set(bytes, found);
    return found;
  };
  return {
    paths: () => contents().paths,
    v3,
    async hash(path) {
      if (folder !== undefined && !contents().own.has(path)) {
        hashes ??= readFile(join(folder, 'hashes.json'), 'utf8').then(
          text => JSON.parse(text) as Record<string, string>,
        );
        const known = (await hashes)[path];
        if (known !== undefined) return known;
      }
      return hashOf(await definite(v3(path)));
    },
    v2,
    v2Protobuf,
    hashOf,
  };
}

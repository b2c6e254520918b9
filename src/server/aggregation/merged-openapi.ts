import type { Turns } from '../../machinery/turns.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import { documentV2Protobuf } from '../../api/openapi/document-v2-protobuf.js';
import type { OpenApiDocuments } from '../../api/openapi/documents.js';
import type { RemoteOpenApi } from './keep-openapi.js';
import type { RemoteV2 } from './openapi-v2.js';

type Json = Readonly<Record<string, unknown>>;

const DEFINITIONS = '#/definitions/';

/** A document with its references to definitions under their new names. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (names.size === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(one => renamed(one, names));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key === '$ref' && typeof inner === 'string' && inner.startsWith(DEFINITIONS) ? inner : undefined;
      const other = name === undefined ? undefined : names.get(name.slice(DEFINITIONS.length));
      return [key, other === undefined ? renamed(inner, names) : `${DEFINITIONS}${other}`];
    }),
  );
}

/**
 * Adds what a server tells of to what there is. A path that is there stays as it is; a definition of a name that is taken
 * for something else gets another one (kube-openapi MergeSpecsIgnorePathConflictRenamingDefinitionsAndParameters).
 */
export function addV2(paths: Map<string, unknown>, definitions: Map<string, unknown>, remote: RemoteV2): void {
  const names = new Map<string, string>();
  for (const [name, definition] of Object.entries(remote.definitions)) {
    let free = name;
    for (let n = 2; definitions.has(free) && !jsonEqual(definitions.get(free), definition); n++) free = `${name}_v${n}`;
    if (free !== name) names.set(name, free);
  }
  for (const [name, definition] of Object.entries(remote.definitions))
    if (!definitions.has(names.get(name) ?? name)) definitions.set(names.get(name) ?? name, renamed(definition, names));
  for (const [path, item] of Object.entries(remote.paths)) if (!paths.has(path)) paths.set(path, renamed(item, names));
}

/** Written a member at a time: the whole is megabytes. */
async function write(
  document: Json,
  members: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
  turns: Turns,
): Promise<Buffer> {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(document)) {
    const inner = members.get(key);
    const before = parts.length === 0 ? '{' : ',';
    if (inner === undefined) {
      parts.push(`${before}${JSON.stringify(key)}:${JSON.stringify(value)}`);
      continue;
    }
    parts.push(`${before}${JSON.stringify(key)}:{`);
    let first = true;
    for (const [name, one] of inner) {
      if (turns.isOver()) await turns.next();
      parts.push(`${first ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(one)}`);
      first = false;
    }
    parts.push('}');
  }
  parts.push('}');
  return Buffer.from(parts.join(''));
}

interface Made {
  readonly json: Buffer;
  readonly info: unknown;
  /** Definitions that this server's own document does not have. */
  readonly added: Json;
}

const entriesOf = (value: unknown): Map<string, unknown> => new Map(Object.entries((value ?? {}) as Json));

/** This server's documents, with what others tell of their group-versions in the one of OpenAPI v2. */
export function withRemoteOpenApi(
  documents: OpenApiDocuments,
  remote: Pick<RemoteOpenApi, 'generation' | 'entries'>,
  turns: Turns,
): OpenApiDocuments {
  interface Merged {
    readonly local: Buffer;
    readonly generation: number;
    readonly made: Promise<Made>;
    protobuf?: Promise<Buffer>;
  }
  let merged: Merged | undefined;

  const merge = async (local: Buffer, others: readonly RemoteV2[]): Promise<Made> => {
    const document = JSON.parse(local.toString('utf8')) as Json;
    await turns.next();
    const paths = entriesOf(document['paths']);
    const definitions = entriesOf(document['definitions']);
    const own = new Set(definitions.keys());
    for (const other of others) {
      addV2(paths, definitions, other);
      if (turns.isOver()) await turns.next();
    }
    const members = new Map([
      ['paths', paths],
      ['definitions', definitions],
    ]);
    return {
      json: await write(document, members, turns),
      info: document['info'],
      added: Object.fromEntries([...definitions].filter(([name]) => !own.has(name))),
    };
  };

  /** undefined: nobody tells of anything. */
  const current = async (): Promise<Merged | undefined> => {
    const others = [...remote.entries()]
      .sort((a, b) => b.api.groupPriority - a.api.groupPriority || (a.api.name < b.api.name ? -1 : 1))
      .flatMap(({ v2 }) => (v2 === undefined || Object.keys(v2.paths).length === 0 ? [] : [v2]));
    if (others.length === 0) return undefined;
    const local = await documents.v2();
    const generation = remote.generation();
    if (merged?.local !== local || merged.generation !== generation)
      merged = { local, generation, made: merge(local, others) };
    return merged;
  };

  return {
    ...documents,
    v2: async () => (await (await current())?.made)?.json ?? documents.v2(),
    async v2Protobuf() {
      const all = await current();
      if (all === undefined) return documents.v2Protobuf();
      // By the rules of protobuf messages behind each other are one: only what the others tell of is written anew.
      all.protobuf ??= all.made.then(async ({ info, added }) =>
        Buffer.concat([await documents.v2Protobuf(), documentV2Protobuf({ info, definitions: added })]),
      );
      return all.protobuf;
    },
  };
}

import { columnsOf } from '../columns.js';
import type { KindSchema } from '../kind-schema.js';
import type { Api } from '../load.js';
import { goStruct } from './go-struct.js';

/** The schemas of all kinds that can be a body, by group, version and kind; made when first asked for. */
export function createBodySchemas(api: Api): (group: string, version: string, kind: string) => KindSchema | undefined {
  const known = new Map<string, KindSchema>();
  const columns = columnsOf([]);
  return (group, version, kind) => {
    const key = `${group}/${version}/${kind}`;
    const made = known.get(key);
    if (made !== undefined) return made;
    const target = api.kind(group, version, kind);
    if (target === undefined) return undefined;
    const schema = goStruct(target, { api, columns });
    known.set(key, schema);
    return schema;
  };
}

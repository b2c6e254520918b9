import { join } from 'node:path';
import { apiVersionOf } from '../resource-info.js';

/** Descriptions of types that documents made at run time refer to, by type and by type and field. */
export const OWN_TEXTS = 'own-texts.json';

/** Where the build step leaves the documents, with descriptions. */
export const GENERATED = 'build/generated/openapi';
export const fileOf = (path: string): string => `${path.replaceAll('/', '_')}.json`;

export const pathOf = (gv: GroupVersion): string =>
  gv.group === '' ? `api/${gv.version}` : `apis/${apiVersionOf(gv)}`;

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** OpenAPI of a group-version that a server of ours behind the API server serves, as JSON. */
export interface AggregatedDocuments {
  readonly v2: Buffer;
  /** By path below /openapi/v3/. */
  readonly v3: ReadonlyMap<string, Buffer>;
}

/** Within the folder of what the build has made. */
export const fileNames = (gv: GroupVersion): { readonly v2: string; readonly v3: (path: string) => string } => {
  const folder = join('aggregated', `${gv.group}_${gv.version}`);
  return { v2: join(folder, 'v2.json'), v3: path => join(folder, 'v3', fileOf(path)) };
};

import { jsonBytes, sha512Steps } from '../../api/openapi/document-bytes.js';
import { inTurns } from '../../machinery/steps.js';
import type { Turns } from '../../machinery/turns.js';
import type { FetchAnswer } from '../dial/types.js';
import type { RemoteApi } from './api-service.js';
import { parsed } from './backend.js';
import { convertDocument } from './convert-document.js';

/** The OpenAPI v3 document of a group-version whose server tells of v2 only. */
export interface ConvertedDocument {
  readonly json: Buffer;
  /** Upper-case SHA-512. */
  readonly hash: string;
  /** Of the document that it was made of. */
  readonly etag: string | undefined;
}

export const failedV2 = ({ name }: RemoteApi, status: number): Error =>
  new Error(`failed to retrieve openAPI spec of APIService ${name}: ${status}`);

/**
 * What the answer to /openapi/v2 becomes; undefined: there is no such document. All of it is converted, as upstream does
 * it: a server that serves several group-versions says the same for each of them.
 * @throws Error, SyntaxError for an answer that is none
 */
export async function convertedOf(
  api: RemoteApi,
  answer: FetchAnswer,
  { known, turns }: { readonly known: ConvertedDocument | undefined; readonly turns: Turns },
): Promise<ConvertedDocument | undefined> {
  const { status, headers } = answer;
  if (status === 304) return known;
  if (status === 404) return undefined;
  if (status !== 200) throw failedV2(api, status);
  const json = await inTurns(jsonBytes(await inTurns(convertDocument(parsed(answer)), turns)), turns);
  return { json, hash: await inTurns(sha512Steps(json), turns), etag: headers.etag };
}

import { createHash } from 'node:crypto';
import type { ConfigMap, KubeObject } from '../../../src/machinery/types.js';
import type { Seen } from '../history/observation.js';

export const NAMESPACE = 'torture';
export const TEAMS = ['red', 'blue'] as const;

const LENGTHS = [40, 400, 4_000];

/** What belongs to a token: as long as a record of LevelDB's log is sometimes, so that it may be cut in the middle. */
export function textOf(token: string): string {
  if (token === '') return '';
  const hash = createHash('sha1').update(token).digest();
  return hash.toString('hex').repeat((LENGTHS[(hash[0] as number) % LENGTHS.length] as number) / 40);
}

/** A ConfigMap as a create or an update makes it. */
export const objectOf = (key: string, token: string, team: string): ConfigMap => ({
  metadata: { namespace: NAMESPACE, name: key, labels: { team } },
  data: { token, text: textOf(token) },
});

/** What a patch changes. */
export const patchOf = (token: string): object => ({ data: { patched: token, patchedText: textOf(token) } });

/** An object as somebody was shown it; undefined: it is none of ours. */
export function seenOf(object: KubeObject): Seen | undefined {
  const { metadata, data = {} } = object as ConfigMap;
  if (metadata.namespace !== NAMESPACE) return undefined;
  const { resourceVersion = '', ...rest } = metadata;
  const { token = '', text, patched = '', patchedText = '' } = data;
  return {
    key: metadata.name ?? '',
    uid: metadata.uid ?? '',
    revision: Number(resourceVersion),
    content: createHash('sha1')
      .update(JSON.stringify([rest, data]))
      .digest('base64'),
    token,
    patched,
    team: metadata.labels?.['team'] ?? '',
    whole: token !== '' && text === textOf(token) && patchedText === textOf(patched),
  };
}

export const seenIn = (objects: readonly KubeObject[]): Seen[] =>
  objects.flatMap(object => {
    const seen = seenOf(object);
    return seen === undefined ? [] : [seen];
  });

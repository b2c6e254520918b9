import { CONFIG_MAPS } from '../../../src/client/resources.js';
import type { RestClient } from '../../../src/client/rest-client.js';
import type { ResourceClient } from '../../../src/client/types.js';
import type { Random } from '../../../src/machinery/random.js';
import { StatusError } from '../../../src/machinery/status.js';
import type { ConfigMap } from '../../../src/machinery/types.js';
import type { Seen, Write } from '../history/observation.js';
import type { Gate } from './gate.js';
import { NAMESPACE, objectOf, patchOf, seenOf, TEAMS } from './objects.js';
import type { Recorder } from './recorder.js';

export interface WriterOptions {
  readonly client: RestClient;
  readonly recorder: Recorder;
  readonly random: Random;
  readonly gate: Gate;
  /** Objects that it writes: some of its own, some that others write, too. */
  readonly keys: readonly string[];
  readonly signal: AbortSignal;
}

/** What a writer thinks of an object; undefined: it must look. */
type Known = Seen | 'absent' | undefined;

const PATCHES = ['merge', 'strategic'] as const;

type Asked = Omit<Write, 'id' | 'key' | 'token'>;

function choose(known: Seen | 'absent', random: Random): Asked {
  if (known === 'absent') return { operation: 'create' };
  const chance = random.below(20);
  if (chance < 9) return { operation: 'update', base: known.revision };
  // The one that others have overtaken is refused.
  if (chance < 10) return { operation: 'update', base: Math.max(1, known.revision - 1 - random.below(5)) };
  return chance < 17 ? { operation: 'patch' } : { operation: 'delete', uid: known.uid };
}

function send(maps: ResourceClient<ConfigMap>, write: Write, random: Random): Promise<ConfigMap | undefined> {
  const { key, token, base, uid = '' } = write;
  const at = { namespace: NAMESPACE, name: key };
  const object = objectOf(key, token, TEAMS[random.below(TEAMS.length)] ?? '');
  switch (write.operation) {
    case 'create':
      return maps.create(NAMESPACE, object);
    case 'update':
      return maps.update({ ...object, metadata: { ...object.metadata, resourceVersion: String(base) } });
    case 'patch':
      return maps.patch(at, patchOf(token), { type: PATCHES[random.below(PATCHES.length)] ?? 'merge' });
    case 'delete':
      return maps.delete(at, { preconditions: { uid } }).then(() => undefined);
  }
}

/** Writes one thing after the other until the signal aborts, and looks again where it does not know how something ended. */
export async function runWriter({ client, recorder, random, gate, keys, signal }: WriterOptions): Promise<void> {
  const maps = client.resource<ConfigMap>(CONFIG_MAPS);
  const objects = new Map<string, Known>();

  const look = async (key: string): Promise<Known> => {
    try {
      return seenOf(await maps.get({ namespace: NAMESPACE, name: key }));
    } catch (error) {
      return error instanceof StatusError && error.code === 404 ? 'absent' : undefined;
    }
  };
  const write = async (key: string, known: Seen | 'absent'): Promise<Known> => {
    const asked = choose(known, random);
    const id = recorder.next();
    const one: Write = { id, key, token: asked.operation === 'delete' ? '' : `w${id}`, ...asked };
    recorder.add({ what: 'sent', write: one });
    try {
      const object = await send(maps, one, random);
      const seen = object && seenOf(object);
      recorder.add({ what: 'answered', write: id, code: 200, ...(seen === undefined ? {} : { seen }) });
      return one.operation === 'delete' ? 'absent' : seen;
    } catch (error) {
      if (error instanceof StatusError) recorder.add({ what: 'answered', write: id, code: error.code });
      return undefined;
    }
  };

  while ((await gate.passed()) && !signal.aborted) {
    const key = keys[random.below(keys.length)] ?? '';
    const known = objects.get(key) ?? (await look(key));
    // Nothing is sent between two servers: of what is sent one can say whom it was for.
    objects.set(key, known === undefined || !gate.isOpen ? undefined : await write(key, known));
  }
}

import { createStrategies } from '../../src/kinds/index.js';
import { createCodec } from '../../src/api/codec/create-codec.js';
import { loadApi } from '../../src/api/load.js';
import type { CatalogEntry } from '../../src/api/catalog.js';
import { apiVersionOf, resourceId } from '../../src/api/resource-info.js';
import { realClock } from '../../src/machinery/clock.js';
import { inTurns } from '../../src/machinery/steps.js';
import { createTurns } from '../../src/machinery/turns.js';
import { StatusError } from '../../src/machinery/status.js';
import { cloneJson } from '../../src/machinery/json-equal.js';
import type { JsonObject, KubeObject } from '../../src/machinery/types.js';
import { decodePatch } from '../../src/server/handlers/decode-patch.js';
import { createOffLoopValidator } from '../../src/server/validation/off-loop.js';
import { EXAMPLES } from '../conformance/registry-examples.js';
import { fixture } from '../support/registries.js';
import { FuzzFault } from './growth.js';

/** The ways a body comes in. */
export const WAYS = ['create', 'yaml', 'update', 'apply', 'merge', 'strategic'] as const;
export type Way = (typeof WAYS)[number];

export interface Target {
  readonly entry: CatalogEntry;
  readonly name: string;
  /** A fresh body that the kind takes as it is. */
  example(): JsonObject;
  /** What sends the body: making it is not part of the answer's time. */
  prepare(way: Way, body: JsonObject | string): () => Promise<void>;
}

const NAME = 'fuzzed';

/** A Status is an answer that somebody wrote, whatever its code: upstream has a few of 500. Anything else is a fault. */
function judge(error: unknown): void {
  if (error instanceof StatusError) return;
  throw new FuzzFault(error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : String(error));
}

/** Every kind that has an example, over registries as the server has them; objects of the name `fuzzed` are there. */
export async function openTargets(): Promise<{ targets: Target[]; close: () => void }> {
  const api = loadApi();
  const codec = createCodec(api);
  const strategies = createStrategies({
    serviceCidrs: ['10.96.0.0/16'],
    nodePortRange: { first: 30000, last: 32767 },
    random: () => 0,
    uuid: () => '00000000-0000-4000-8000-000000000000',
    authorize: () => ({ decision: 'allow', reason: '' }),
    rulesFor: () => ({ rules: [], incomplete: false }),
    authenticateToken: () => Promise.resolve({ error: 'unknown token' }),
    issueToken: () => Promise.resolve({ token: 'token', expiresMs: 0 }),
    apiAudiences: ['https://kubernetes.default.svc.cluster.local'],
  });
  const turns = createTurns(realClock);
  const stopping = new AbortController();
  // As the server validates.
  const validate = createOffLoopValidator({ clock: realClock, turns, signal: stopping.signal });
  const f = await fixture({ strategies, turns, validate });
  const targets: Target[] = [];
  for (const entry of f.catalog.entries()) {
    const { info } = entry;
    const given = EXAMPLES[resourceId(info)];
    if (given === undefined && info.stored) continue;
    const namespace = info.namespaced ? 'ns' : '';
    const example = (): JsonObject => ({
      apiVersion: apiVersionOf(info),
      kind: info.kind,
      ...cloneJson<JsonObject>(given ?? {}),
      metadata: info.stored ? { name: NAME, ...(info.namespaced ? { namespace } : {}) } : {},
    });
    const registry = f.registries.get(entry);
    const ctx = f.context({ dryRun: true, fieldValidation: 'Warn' });
    if (info.stored) {
      const made = codec.decode(Buffer.from(JSON.stringify(example())), 'application/json', entry).object;
      await registry.create(f.context(), namespace, made).catch((error: unknown) => {
        if (!(error instanceof StatusError)) throw error;
      });
    }
    const key = { namespace, name: NAME };
    const send = async (way: Way, raw: Buffer): Promise<void> => {
      // As the handlers do: the turn begins before the body is read.
      if (turns.isOver()) await turns.next();
      try {
        if (way === 'create' || way === 'yaml' || way === 'update') {
          const steps = codec.decodeSteps(raw, way === 'yaml' ? 'application/yaml' : 'application/json', entry);
          const { object } = await inTurns(steps, turns);
          if (way === 'update') await registry.update(ctx, key, object, '');
          else await registry.create(ctx, namespace, object);
        } else {
          const patch = { type: way, raw, force: true, decode: () => decodePatch(raw, way, true) };
          await registry.patch(ctx, key, patch, '');
        }
      } catch (error) {
        judge(error);
      }
    };
    const prepare: Target['prepare'] = (way, body) => {
      const raw = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      return () => send(way, raw);
    };
    targets.push({ entry, name: `${resourceId(info)} ${info.version}`, example, prepare });
  }
  // The thread that validates what is big is started by the first who needs it: no row is to pay for that.
  const pods = targets.find(({ entry }) => resourceId(entry.info) === 'pods');
  const annotations = Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`k${i}`, 'v']));
  await pods?.prepare('create', { ...pods.example(), metadata: { name: 'warm', namespace: 'ns', annotations } })();
  const close = (): void => {
    stopping.abort();
    f.close();
  };
  return { targets, close };
}

/** A YAML mapping whose deepest value is the text, bare: what the reader of YAML makes of it. */
export function bareYaml(object: KubeObject | JsonObject, text: string): string {
  const marker = 'a-place-for-the-text';
  return JSON.stringify(object).replace(`"${marker}"`, () => text);
}

import type { Random } from '../../../src/machinery/random.js';

export type ServiceKind = 'ClusterIP' | 'NodePort' | 'headless';

/** One change that a user makes. `app` names a Deployment and its Service. */
export type Step =
  | { readonly do: 'create'; readonly app: string; readonly replicas: number }
  | { readonly do: 'scale'; readonly app: string; readonly replicas: number }
  | { readonly do: 'roll'; readonly app: string; readonly version: number }
  | { readonly do: 'expose'; readonly app: string; readonly kind: ServiceKind }
  | { readonly do: 'hide'; readonly app: string }
  | { readonly do: 'delete'; readonly app: string }
  | { readonly do: 'evict'; readonly app: string };

/** What a user wants of an app after some steps. */
export interface Wanted {
  replicas: number | undefined;
  version: number;
  service: ServiceKind | undefined;
}

const APPS = ['a', 'b', 'c', 'd', 'e'];
const MOST_REPLICAS = 4;
const KINDS: readonly ServiceKind[] = ['ClusterIP', 'NodePort', 'headless'];

const pick = <T>(from: readonly T[], random: Random): T => from[random.below(from.length)] as T;

function nextStep(app: string, has: Wanted, random: Random): Step {
  if (has.replicas === undefined) return { do: 'create', app, replicas: 1 + random.below(MOST_REPLICAS) };
  if (has.service === undefined && random.below(2) === 0) return { do: 'expose', app, kind: pick(KINDS, random) };
  const chance = random.below(12);
  if (chance < 4) return { do: 'scale', app, replicas: random.below(MOST_REPLICAS + 1) };
  if (chance < 7) return { do: 'roll', app, version: has.version + 1 };
  if (chance < 9) return { do: 'evict', app };
  return chance < 10 && has.service !== undefined ? { do: 'hide', app } : { do: 'delete', app };
}

function note(step: Step, has: Wanted): void {
  if (step.do === 'create' || step.do === 'scale') has.replicas = step.replicas;
  else if (step.do === 'roll') has.version = step.version;
  else if (step.do === 'expose') has.service = step.kind;
  else if (step.do === 'hide') has.service = undefined;
  else if (step.do === 'delete') Object.assign(has, { replicas: undefined, version: 1 });
}

/** The same steps for the same seed, each of which makes sense after those before; what they come to; all apps there may be. */
export function scriptOf(random: Random, count: number) {
  const wanted = new Map<string, Wanted>(
    APPS.map(app => [app, { replicas: undefined, version: 1, service: undefined }]),
  );
  const steps = Array.from({ length: count }, () => {
    const app = pick(APPS, random);
    const has = wanted.get(app) as Wanted;
    const step = nextStep(app, has, random);
    note(step, has);
    return step;
  });
  return { steps, wanted: wanted as ReadonlyMap<string, Readonly<Wanted>> };
}

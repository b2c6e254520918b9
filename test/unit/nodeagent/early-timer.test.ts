import t from 'tap';
import { FakeClock } from '../../../src/machinery/clock.js';
import type { ConfigMap, ResourceClaim } from '../../../src/machinery/types.js';
import type { PodDependencies } from '../../../src/nodeagent/pods/dependencies.js';
import type { Sources } from '../../../src/nodeagent/pods/sources.js';
import type { ReadonlyPod } from '../../../src/nodeagent/pods/types.js';
import { createPodVolumes } from '../../../src/nodeagent/pods/volumes/pod-volumes.js';
import { createPodState } from '../../../src/nodeagent/pods/worker/pod-state.js';
import type { PodWork } from '../../../src/nodeagent/pods/worker/pod-work.js';
import { preparePod } from '../../../src/nodeagent/pods/worker/prepare-pod.js';
import { createWakening } from '../../../src/nodeagent/pods/worker/wakening.js';

/** As the event loop's timers, which count in whole milliseconds: they may call a moment before their time. */
class EarlyClock extends FakeClock {
  override after(ms: number, callback: () => void): () => void {
    return super.after(ms > 1 ? ms - 1 : ms, callback);
  }
}

const metadata = { namespace: 'default', name: 'p', uid: 'u' };

const TABLE: { readonly name: string; readonly pod: ReadonlyPod; readonly retries: number }[] = [
  {
    name: 'a ConfigMap that comes late is mounted',
    pod: { metadata, spec: { containers: [], volumes: [{ name: 'v', configMap: { name: 'late' } }] } },
    retries: 3,
  },
  {
    name: 'a ResourceClaim that comes late is found',
    pod: { metadata, spec: { containers: [], resourceClaims: [{ name: 'c', resourceClaimName: 'late' }] } },
    retries: 3,
  },
];

for (const { name, pod, retries } of TABLE)
  t.test(`${name}, though timers call a little early`, async t => {
    const clock = new EarlyClock();
    let asked = 0;
    const late = <T>(value: T) => Promise.resolve(++asked > retries ? value : undefined);
    const sources = {
      configMap: () => late<ConfigMap>({ metadata: { name: 'late' }, data: { k: 'v' } }),
      resourceClaim: () =>
        late({ metadata: { name: 'late' }, status: { reservedFor: [{ uid: 'u' }] } } as ResourceClaim),
    } as Partial<Sources> as Sources;
    const deps = {
      clock,
      sources,
      nodeIPs: ['172.18.0.2'],
      allocatable: {},
      nodeTrees: new Map(),
    } as Partial<PodDependencies>;
    const events = { normal: () => undefined, warning: () => undefined };
    const stop = new AbortController();
    const state = createPodState(pod, clock.now());
    state.place = { network: { addresses: ['10.244.0.2'] } } as unknown as typeof state.place;

    let mounted = false;
    const wakening = createWakening({
      name: 'pod',
      clock,
      stop: stop.signal,
      look: async () => {
        mounted ||= (await preparePod(work as PodWork)) !== undefined;
      },
      onError: error => t.fail(String(error)),
    });
    const { kick, kickAfter } = wakening;
    const volumes = createPodVolumes({ pod: () => pod, deps: deps as PodDependencies, events, kickAfter });
    const work: Partial<PodWork> = { state, deps: deps as PodDependencies, events, volumes, wakening };

    kick();
    // A minute is more than all retries take.
    for (let passed = 0; passed < 60_000 && !mounted; passed += 100) {
      clock.step(100);
      await new Promise(setImmediate);
    }
    volumes.stop();
    t.ok(mounted);
    t.equal(asked, retries + 1, 'and it was not asked for more often than that');
  });

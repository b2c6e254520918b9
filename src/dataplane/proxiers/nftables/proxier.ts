import { parseCidr } from '../../../machinery/cidr.js';
import type { NftCommand, NftablesProgram } from '../../kernel/program.js';
import type { ServiceChange, TrackedPort } from '../../services/service-map.js';
import { missingIn } from '../kept-endpoints.js';
import { leftChains } from '../left-chains.js';
import { createNodeView } from '../node-view.js';
import type { Proxier, ProxierConfig, SyncResult } from '../types.js';
import { baseCommands } from './base-rules.js';
import { compileServicePort, type ServiceFragment } from './compile-service.js';
import { createElementStore } from './elements.js';
import { TABLE, TABLE_COMMENT } from './names.js';
import { createStaleChains } from './stale-chains.js';

/** Chains of Services have a slash in their names, the fixed ones have none. */
const isServiceChain = (name: string): boolean => name.includes('/');

/** A sync costs what changed: the rules of changed Services, and their elements in the shared maps. */
export function createNftablesProxier(config: ProxierConfig): Proxier {
  let localChanged = false;
  const view = createNodeView(config, () => {
    compiled.clear();
    localChanged = true;
  });
  const { services, shared } = view;
  const staleChains = createStaleChains(config.clock);
  const elements = createElementStore();
  const compiled = new Map<TrackedPort, ServiceFragment>();
  let synced = false;
  let serviceCidrs: readonly string[] = [];
  let rangesChanged = false;

  function fragmentOf(port: TrackedPort, before?: ServiceFragment): ServiceFragment {
    const known = compiled.get(port);
    if (known !== undefined) return known;
    const options = {
      family: config.family,
      detectLocal: view.local,
      masqueradeAll: config.masqueradeAll ?? false,
      nodeIP: config.nodeIP ?? config.nodeAddresses[0],
    };
    const fragment = compileServicePort(port.service, port.categories, options, before);
    compiled.set(port, fragment);
    return fragment;
  }

  /** What is written of the changed Services, and the affinity sets that go with what is gone. */
  function take(changes: readonly ServiceChange[]): { written: ServiceFragment[]; goneSets: Set<string> } {
    const written: ServiceFragment[] = [];
    const goneSets = new Set<string>();
    for (const { before, after } of changes) {
      const known = new Map<string, ServiceFragment>();
      for (const port of before) {
        const fragment = fragmentOf(port);
        known.set(port.sortKey, fragment);
        for (const { name } of fragment.affinitySets) goneSets.add(name);
        if (after.includes(port)) continue;
        compiled.delete(port);
        elements.set(port.sortKey, []);
      }
      for (const port of after) {
        const old = known.get(port.sortKey);
        known.delete(port.sortKey);
        const fragment = fragmentOf(port, old);
        staleChains.add(missingIn(old?.chains ?? [], fragment.chains));
        staleChains.remove(missingIn(fragment.chains, old?.chains ?? []));
        for (const { name } of fragment.affinitySets) goneSets.delete(name);
        elements.set(port.sortKey, fragment.elements);
        written.push(fragment);
      }
      for (const { chains } of known.values()) staleChains.add(chains);
    }
    return { written, goneSets };
  }

  const program = (full: boolean, commands: readonly NftCommand[]): NftablesProgram => ({
    kind: 'nftables',
    family: config.family,
    full,
    table: TABLE,
    comment: TABLE_COMMENT,
    commands,
  });

  function partialProgram(
    old: readonly string[],
    written: readonly ServiceFragment[],
    goneSets: ReadonlySet<string>,
  ): NftablesProgram {
    const commands = old.map((chain): NftCommand => ({ kind: 'deleteChain', chain }));
    for (const { addChains, flushes } of written)
      addChains.forEach((add, i) => commands.push(add, flushes[i] as NftCommand));
    for (const { affinitySets } of written) for (const set of affinitySets) commands.push({ kind: 'addSet', set });
    for (const { addRules } of written) for (const command of addRules) commands.push(command);
    for (const chain of staleChains.takeNew()) commands.push({ kind: 'flushChain', chain });
    for (const set of goneSets) commands.push({ kind: 'deleteSet', set });
    commands.push(...elements.take());
    return program(false, commands);
  }

  /** `left`: empty chains of a proxy before this one. */
  function fullProgram(left: readonly string[]): NftablesProgram {
    const fragments = services.ports.map(port => fragmentOf(port));
    return program(true, [
      ...baseCommands(config, serviceCidrs),
      ...fragments.flatMap(({ addChains }) => addChains),
      ...left.map((name): NftCommand => ({ kind: 'addChain', chain: { name } })),
      ...fragments.flatMap(({ affinitySets }) => affinitySets.map((set): NftCommand => ({ kind: 'addSet', set }))),
      ...fragments.flatMap(({ addRules }) => addRules),
      ...elements.all(),
    ]);
  }

  const usedChains = (): string[] => services.ports.flatMap(port => fragmentOf(port).chains);

  function sync(options: { full?: boolean } = {}): SyncResult {
    const changes = services.take();
    const full = options.full === true || !synced || localChanged || rangesChanged || changes.topologyChanged;
    const old = full ? [] : staleChains.takeOld();
    if (!full && changes.services.length === 0 && old.length === 0) return { program: undefined, udpCleanup: [] };
    const { written, goneSets } = take(changes.services);
    const udpCleanup = view.udpCleanup(changes);
    if (!full) return { program: partialProgram(old, written, goneSets), udpCleanup };
    // A full program begins with an empty table.
    staleChains.clear();
    const left = leftChains(config, isServiceChain, usedChains);
    synced = true;
    localChanged = false;
    rangesChanged = false;
    staleChains.addEmpty(left);
    return { program: fullProgram(left), udpCleanup };
  }

  return {
    ...shared,
    setServiceCidrs(cidrs) {
      const ofFamily = cidrs.filter(cidr => parseCidr(cidr)?.family === config.family).sort();
      if (ofFamily.join() === serviceCidrs.join()) return;
      serviceCidrs = ofFamily;
      rangesChanged = true;
    },
    get pending() {
      return !synced || localChanged || rangesChanged || services.pending;
    },
    sync,
    program: () => fullProgram([]),
  };
}

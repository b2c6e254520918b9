import type { XtablesProgram } from '../../kernel/program.js';
import type { ServiceChange, TrackedPort } from '../../services/service-map.js';
import { missingIn } from '../kept-endpoints.js';
import { leftChains } from '../left-chains.js';
import { createNodeView } from '../node-view.js';
import type { Proxier, ProxierConfig, SyncResult } from '../types.js';
import { createAssembler } from './assemble.js';
import { compileServicePort, type ServiceFragment } from './compile-service.js';
import { isServiceChain } from './names.js';
import { createStaleChains } from './stale-chains.js';

const LARGE_CLUSTER_ENDPOINTS = 1000;
const DEFAULT_SYNC_PERIOD_MS = 30_000;

interface CompiledPort {
  readonly fragment: ServiceFragment;
  readonly largeCluster: boolean;
}

const NOTHING = { ports: [], fragments: [] };

/** A sync costs one pass over the dispatch rules, plus compiling the Services that changed. */
export function createIptablesProxier(config: ProxierConfig): Proxier {
  let localChanged = false;
  const view = createNodeView(config, () => {
    compiled = new WeakMap();
    known = NOTHING;
    localChanged = true;
  });
  const { services, shared } = view;
  const staleChains = createStaleChains(config.clock, config.syncPeriodMs ?? DEFAULT_SYNC_PERIOD_MS);
  const assemble = createAssembler(config);
  /** What was compiled of a port goes with it. */
  let compiled = new WeakMap<TrackedPort, CompiledPort>();
  let synced = false;
  /** Of all service ports, in order, as of the last time. */
  let known: { readonly ports: readonly TrackedPort[]; readonly fragments: readonly ServiceFragment[] } = NOTHING;

  const isLarge = (): boolean => services.endpointCount > LARGE_CLUSTER_ENDPOINTS;

  function compilePort(port: TrackedPort, before?: ServiceFragment): ServiceFragment {
    const largeCluster = isLarge();
    const options = {
      detectLocal: view.local,
      masqueradeAll: config.masqueradeAll ?? false,
      nodeIP: config.nodeIP ?? config.nodeAddresses[0],
      largeCluster,
    };
    const fragment = compileServicePort(port.service, port.categories, options, before);
    compiled.set(port, { fragment, largeCluster });
    return fragment;
  }
  const fragmentOf = (port: TrackedPort, before?: ServiceFragment): ServiceFragment =>
    compiled.get(port)?.fragment ?? compilePort(port, before);

  /** Most ports stand where they stood: they are not looked up. */
  function allFragments(): readonly ServiceFragment[] {
    const { ports } = services;
    let old = 0;
    const fragments = ports.map(port => {
      if (known.ports[old] !== port && known.ports[old + 1] === port) old++;
      return (known.ports[old] === port ? known.fragments[old++] : undefined) ?? fragmentOf(port);
    });
    known = { ports, fragments };
    return fragments;
  }

  /** As upstream, all ports of a changed Service are written. */
  function writeService({ before, after }: ServiceChange, written: Set<ServiceFragment>): void {
    const known = new Map(before.map(port => [port.sortKey, fragmentOf(port)]));
    for (const port of after) {
      const old = known.get(port.sortKey);
      known.delete(port.sortKey);
      const fragment = fragmentOf(port, old);
      staleChains.add(missingIn(old?.chains ?? [], fragment.chains));
      staleChains.remove(missingIn(fragment.chains, old?.chains ?? []));
      written.add(fragment);
    }
    for (const gone of known.values()) staleChains.add(gone.chains);
  }

  /** Only a full sync may rewrite the rules of unchanged Services in the other form. */
  function writeAll(): ReadonlySet<ServiceFragment> {
    const large = isLarge();
    known = NOTHING;
    return new Set(
      services.ports.map(port => {
        const known = compiled.get(port);
        return known?.largeCluster === large ? known.fragment : compilePort(port);
      }),
    );
  }

  const buildProgram = (
    full: boolean,
    changed: ReadonlySet<ServiceFragment>,
    stale: readonly string[],
  ): XtablesProgram => assemble({ full, fragments: allFragments(), changed, staleChains: stale });

  const usedChains = (): string[] => services.ports.flatMap(port => fragmentOf(port).chains);

  function sync(options: { full?: boolean } = {}): SyncResult {
    const changes = services.take();
    const full = options.full === true || !synced || localChanged || changes.topologyChanged;
    if (full) staleChains.add(leftChains(config, isServiceChain, usedChains));
    const changed = new Set<ServiceFragment>();
    for (const service of changes.services) writeService(service, changed);
    if (!full && changes.services.length === 0) return { program: undefined, udpCleanup: [] };
    synced = true;
    localChanged = false;
    return {
      program: buildProgram(full, full ? writeAll() : changed, staleChains.take(isLarge())),
      udpCleanup: view.udpCleanup(changes),
    };
  }

  return {
    ...shared,
    // No rule depends on them.
    setServiceCidrs: () => undefined,
    get pending() {
      return !synced || localChanged || services.pending;
    },
    sync,
    program: () => buildProgram(true, new Set(services.ports.map(port => fragmentOf(port))), []),
  };
}

import { compareText } from '../../../machinery/compare-text.js';
import type { VirtualService } from '../../kernel/ipvs/types.js';
import type { IpvsProgram, XtablesProgram } from '../../kernel/program.js';
import type { ServiceChange, TrackedPort } from '../../services/service-map.js';
import { nodePortAddresses } from '../node-port-addresses.js';
import { createNodeView } from '../node-view.js';
import type { Proxier, ProxierConfig, SyncResult } from '../types.js';
import { JUMPS } from './chains.js';
import { compileServicePort, type ServiceFragment } from './compile-service.js';
import { createEntryCounts } from './entry-counts.js';
import { createFrame } from './frame.js';
import { createServerClaims } from './server-claims.js';
import { nameIn, SET_NAMES, type SetName } from './sets.js';
import { sysctlsOf } from './sysctls.js';

/** The interface that has the addresses of Services, so that the node takes packets to them. */
const LINK = 'kube-ipvs0';

/** A sync costs what changed: virtual servers and entries of sets. The rules are few and depend on which sets are empty. */
export function createIpvsProxier(config: ProxierConfig): Proxier {
  const { family, nodeAddresses } = config;
  let localChanged = false;
  const view = createNodeView(config, () => {
    frame = createFrame(config, view.local);
    localChanged = true;
  });
  const { services, shared } = view;
  let frame = createFrame(config, view.local);
  const entries = createEntryCounts(family);
  const servers = createServerClaims();
  const compiled = new Map<TrackedPort, ServiceFragment>();
  const options = {
    scheduler: config.ipvsScheduler ?? 'rr',
    nodeIP: config.nodeIP ?? nodeAddresses[0],
    nodeAddresses,
    nodePortIPs: nodePortAddresses(config) ?? nodeAddresses,
  } as const;
  const isEmpty = (set: SetName): boolean => entries.isEmpty(set);
  /** By service port; few have any. */
  const closedByPort = new Map<string, readonly VirtualService[]>();
  /** What the rules that are loaded were made of. */
  let frameKey = '';
  let synced = false;

  function drop(port: TrackedPort): void {
    const fragment = compiled.get(port);
    if (fragment === undefined) return;
    compiled.delete(port);
    for (const [set, entry] of fragment.entries) entries.remove(set, entry);
    servers.set(port.sortKey, []);
    closedByPort.delete(port.sortKey);
  }

  function put(port: TrackedPort): void {
    const fragment = compileServicePort(port, options);
    compiled.set(port, fragment);
    for (const [set, entry] of fragment.entries) entries.add(set, entry);
    servers.set(port.sortKey, fragment.virtualServers);
    if (fragment.closedToNode.length > 0) closedByPort.set(port.sortKey, fragment.closedToNode);
  }

  function apply(changes: readonly ServiceChange[]): void {
    for (const { before, after } of changes) {
      const kept = new Set(after);
      for (const port of before) if (!kept.has(port)) drop(port);
      for (const port of after) if (!compiled.has(port)) put(port);
    }
  }

  const closedToNode = (): readonly VirtualService[] =>
    [...closedByPort].sort(([a], [b]) => compareText(a, b)).flatMap(([, closed]) => closed);

  const keyOf = (closed: readonly VirtualService[]): string => JSON.stringify([SET_NAMES.map(isEmpty), closed]);

  function xtables(full: boolean, closed: readonly VirtualService[]): XtablesProgram {
    return {
      kind: 'xtables',
      family,
      full,
      jumps: full ? JUMPS : [],
      ensureChains: [],
      tables: frame({ isEmpty, closedToNode: closed }),
    };
  }

  /** The addresses of the interface are also the entries of a set. */
  function program(
    part: Pick<IpvsProgram, 'full' | 'virtualServers' | 'goneServers' | 'ipsets' | 'xtables'>,
  ): IpvsProgram {
    const bound = part.ipsets.find(({ name }) => name === nameIn(family, 'KUBE-IPVS-IPS'));
    return {
      kind: 'ipvs',
      family,
      ...part,
      addresses: { link: LINK, add: bound?.add ?? [], remove: bound?.remove ?? [] },
      sysctls: part.full ? sysctlsOf(config) : {},
    };
  }

  const fullProgram = (): IpvsProgram =>
    program({
      full: true,
      virtualServers: servers.all(),
      goneServers: [],
      ipsets: entries.all(),
      xtables: xtables(true, closedToNode()),
    });

  function partialProgram(): IpvsProgram {
    const { changed, gone } = servers.take();
    const closed = closedToNode();
    const key = keyOf(closed);
    const sameFrame = key === frameKey;
    frameKey = key;
    return program({
      full: false,
      virtualServers: changed,
      goneServers: gone,
      ipsets: entries.take(),
      xtables: sameFrame ? undefined : xtables(false, closed),
    });
  }

  function sync({ full = false }: { full?: boolean } = {}): SyncResult {
    const changes = services.take();
    const whole = full || !synced || localChanged || changes.topologyChanged;
    if (!whole && changes.services.length === 0) return { program: undefined, udpCleanup: [] };
    apply(changes.services);
    const udpCleanup = view.udpCleanup(changes);
    const partial = partialProgram();
    synced = true;
    localChanged = false;
    return { program: whole ? fullProgram() : partial, udpCleanup };
  }

  return {
    ...shared,
    // Nothing depends on them.
    setServiceCidrs: () => undefined,
    get pending() {
      return !synced || localChanged || services.pending;
    },
    sync,
    program: fullProgram,
  };
}

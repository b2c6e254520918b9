import type { Hook } from '../trace.js';
import { invert, type MutableEntry } from './conntrack.js';
import { ACCEPT, type HookFunction, type HookResult, PRIORITY } from './hooks.js';
import { destinationNat, type NatContext, type NatVerdict, sourceNat } from './nat.js';
import { endText, type Passage, setStates, traceTranslation } from './passage.js';
import type { RouteTable } from './routes.js';

export interface TranslationOptions extends NatContext {
  readonly routes: RouteTable;
}

/**
 * NAT, as nf_nat_core registers it: it asks its own list of functions (iptables' nat table, nftables' nat chains) about the
 * first packet of a flow only; what they decided is applied to all others. A flow has one destination and one source: once
 * a function has decided, the later ones are not asked.
 */
export function natHooks(rules: readonly HookFunction[]): HookFunction[] {
  const nat = (hook: Hook, priority: number): HookFunction => {
    const asked = rules.filter(one => one.hook === hook).sort((a, b) => a.priority - b.priority);
    return { hook, priority, run: passage => translateFlow(passage, hook, asked) };
  };
  return [
    nat('prerouting', PRIORITY.destinationNat),
    nat('output', PRIORITY.destinationNat),
    nat('input', PRIORITY.sourceNat),
    nat('postrouting', PRIORITY.sourceNat),
  ];
}

const changesDestination = (hook: Hook): boolean => hook === 'prerouting' || hook === 'output';

function translateFlow(passage: Passage, hook: Hook, rules: readonly HookFunction[]): HookResult {
  const { entry } = passage;
  if (passage.looped || entry === undefined || passage.state === 'UNTRACKED' || passage.state === 'INVALID')
    return ACCEPT;
  const decided = (): boolean => (changesDestination(hook) ? passage.destinationSet : passage.sourceSet);
  if (passage.state !== 'NEW' || entry.confirmed || decided()) {
    applyFlow(passage, entry, hook);
    return ACCEPT;
  }
  for (const one of rules) {
    const result = one.run(passage);
    if (result.kind !== 'accept') return result;
    if (decided()) break;
  }
  if (changesDestination(hook)) passage.destinationSet = true;
  else passage.sourceSet = true;
  return ACCEPT;
}

/** What the packet looks like after this hook, by its flow. */
function applyFlow(passage: Passage, entry: MutableEntry, hook: Hook): void {
  const { packet, direction } = passage;
  // IPVS says in the flow where answers come from, but does the translating itself.
  const translated = changesDestination(hook) === (direction === 'original') ? entry.dnat : entry.snat;
  if (!translated) return;
  const flow = invert(direction === 'original' ? entry.reply : entry.original);
  // An error about the flow has no ports; its addresses change as those of the flow do (nf_nat_icmp_reply_translation).
  const after = passage.state === 'RELATED' ? { ...flow, srcPort: packet.srcPort, dstPort: packet.dstPort } : flow;
  if (changesDestination(hook)) {
    if (packet.dst === after.dst && packet.dstPort === after.dstPort) return;
    const ends = `${endText(packet.dst, packet.dstPort)} becomes ${endText(after.dst, after.dstPort)}`;
    traceTranslation(passage, hook, `destination ${ends}`);
    packet.dst = after.dst;
    packet.dstPort = after.dstPort;
  } else {
    if (packet.src === after.src && packet.srcPort === after.srcPort) return;
    const ends = `${endText(packet.src, packet.srcPort)} becomes ${endText(after.src, after.srcPort)}`;
    traceTranslation(passage, hook, `source ${ends}`);
    packet.src = after.src;
    packet.srcPort = after.srcPort;
  }
}

/** Carries out what a rule decided about a new flow, and says what it did. */
export type Translate = (passage: Passage, verdict: NatVerdict, hook: Hook) => string;

export function createTranslate(options: TranslationOptions): Translate {
  const { routes } = options;
  const loopback = routes.family === 'IPv4' ? '127.0.0.1' : '::1';
  return (passage, verdict, hook) => {
    const { packet, entry } = passage;
    if (entry === undefined) return 'no flow to translate';
    switch (verdict.kind) {
      case 'dnat':
        destinationNat(entry, packet, verdict.address, verdict.port);
        break;
      case 'redirect': {
        // nf_nat_redirect: the address of the interface it came in by.
        const address = hook === 'output' ? loopback : (routes.primaryAddress(packet.inInterface) ?? loopback);
        destinationNat(entry, packet, address, verdict.port);
        break;
      }
      case 'snat': {
        const port = verdict.port === undefined ? {} : { port: verdict.port };
        sourceNat(entry, packet, verdict.address, { ...port, randomFully: false }, options);
        break;
      }
      case 'masquerade': {
        const address = routes.lookup(packet.dst)?.source ?? routes.primaryAddress();
        if (address === undefined) return 'no address to masquerade with';
        sourceNat(entry, packet, address, { randomFully: verdict.randomFully }, options);
        break;
      }
      default:
        return verdict satisfies never;
    }
    setStates(passage);
    const destination = verdict.kind === 'dnat' || verdict.kind === 'redirect';
    // Decided: the other functions at this hook are not asked any more.
    if (destination) passage.destinationSet = true;
    else passage.sourceSet = true;
    const end = destination ? endText(packet.dst, packet.dstPort) : endText(packet.src, packet.srcPort);
    return `${verdict.kind}: ${destination ? 'destination' : 'source'} becomes ${end}`;
  };
}

/** Before iptables' nat table, where kindnet has its own nftables chain. */
const BEFORE_XTABLES = PRIORITY.sourceNat - 5;

/** What the CNI plugin masquerades, beside the rules of the proxy. */
export const cniMasquerade = (
  masquerades: (packet: { readonly src: string; readonly dst: string }) => boolean,
  translate: Translate,
): HookFunction => ({
  hook: 'postrouting',
  priority: BEFORE_XTABLES,
  run(passage) {
    if (!masquerades(passage.packet)) return ACCEPT;
    const effect = translate(passage, { kind: 'masquerade', randomFully: false }, 'postrouting');
    traceTranslation(passage, 'postrouting', `by the CNI plugin: ${effect}`);
    passage.sourceSet = true;
    return ACCEPT;
  },
});

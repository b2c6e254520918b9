import type { Packet } from '../packet.js';
import type { Hook } from '../trace.js';
import {
  ACCEPT,
  type HookFunction,
  type HookResult,
  type Hooks,
  type HookVerdict,
  PRIORITY,
  runHooks,
} from './hooks.js';
import { beginPassage, type EvaluationContext, packetOf, type Passage } from './passage.js';
import { LOOPBACK_LINK, type RouteTable } from './routes.js';
import type { Evaluation } from './types.js';

export interface PathOptions {
  readonly hooks: Hooks;
  readonly routes: RouteTable;
}

/** Sends one packet through the hooks of the kernel: in from outside, or out from a socket of this node. */
export function evaluate(options: PathOptions, given: Packet, context: EvaluationContext): Evaluation {
  const passage = beginPassage(given, context);
  const result = context.hook === 'prerouting' ? receive(options, passage) : send(options, passage);
  const { state, delivery, trace } = passage;
  const entry = result.kind === 'accept' ? passage.entry : undefined;
  const ended = { verdict: result.kind, packet: packetOf(passage), delivery, state, entry, trace };
  return result.kind === 'reject' ? { ...ended, rejectWith: result.with } : ended;
}

function receive(options: PathOptions, passage: Passage): HookVerdict {
  const { hooks, routes } = options;
  const { packet } = passage;
  const arrived = follow(options, passage, runHooks(hooks.prerouting, passage));
  if (arrived.kind !== 'accept') return arrived;
  if (!passage.looped) {
    const routed = decideRoute(passage, routes, 'prerouting');
    if (routed.kind !== 'accept') return routed;
  }
  if (passage.looped || passage.route?.local === true) {
    passage.delivery = 'local';
    return follow(options, passage, runHooks(hooks.input, passage));
  }
  packet.outInterface = passage.route?.link;
  const forwarded = follow(options, passage, runHooks(hooks.forward, passage));
  return forwarded.kind === 'accept' ? leave(options, passage) : forwarded;
}

const leave = (options: PathOptions, passage: Passage): HookVerdict =>
  follow(options, passage, runHooks(options.hooks.postrouting, passage));

/** A stolen packet leaves as one of this node's own: through OUTPUT, where it is routed, and POSTROUTING. */
function follow(options: PathOptions, passage: Passage, result: HookResult): HookVerdict {
  if (result.kind !== 'steal') return result;
  passage.delivery = 'forward';
  passage.packet.inInterface = undefined;
  const made = follow(options, passage, runHooks(options.hooks.output, passage));
  return made.kind === 'accept' ? leave(options, passage) : made;
}

function send(options: PathOptions, passage: Passage): HookVerdict {
  const { hooks, routes } = options;
  const { packet } = passage;
  packet.outInterface = routes.lookup(packet.dst)?.link;
  const made = runHooks(hooks.output, passage);
  if (made.kind !== 'accept') return follow(options, passage, made);
  const left = leave(options, passage);
  if (left.kind !== 'accept' || passage.route?.local !== true) return left;
  // A packet to this node itself comes in again through "lo", with its flow and translations decided.
  passage.looped = true;
  packet.inInterface = LOOPBACK_LINK;
  packet.outInterface = undefined;
  return receive(options, passage);
}

/** A changed destination is routed again before the filter sees the packet (ip_route_me_harder). */
export const rerouteHook = (routes: RouteTable): HookFunction => ({
  hook: 'output',
  priority: PRIORITY.destinationNat + 1,
  run(passage) {
    const routed = decideRoute(passage, routes, 'output');
    passage.packet.outInterface = passage.route?.link;
    return routed;
  },
});

function decideRoute(passage: Passage, routes: RouteTable, hook: Hook): HookVerdict {
  const { dst } = passage.packet;
  const route = (passage.route = routes.lookup(dst));
  const trace = (effect: string): void => void passage.trace.push({ kind: 'route', hook, effect });
  if (route === undefined) {
    trace(`no route to ${dst}`);
    return { kind: 'reject', with: routes.family === 'IPv4' ? 'icmp-net-unreachable' : 'icmp6-no-route' };
  }
  trace(route.local ? `${dst} is an address of this node` : `${dst} is routed out of ${route.link}`);
  return ACCEPT;
}

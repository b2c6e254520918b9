import { connect } from './connection.js';
import { createConntrack, type MutableEntry } from './conntrack.js';
import { orderHooks } from './hooks.js';
import { createNftables } from './nftables/nftables.js';
import { createIpsets } from './ipset/ipsets.js';
import { createIpvs } from './ipvs/ipvs.js';
import { evaluate, rerouteHook } from './path.js';
import type { Program } from './program.js';
import { trackingHooks } from './tracking.js';
import { cniMasquerade, createTranslate, natHooks } from './translation.js';
import type { Kernel, KernelOptions } from './types.js';
import { createXtables } from './xtables/xtables.js';

/** See `Kernel` for the contract. What packets meet, and in which order, is the list of hook functions. */
export function createKernel(options: KernelOptions): Kernel {
  const { clock, routes, masquerades, hooks: others = [] } = options;
  let draw = options.random;
  const random = (): number => draw();
  const { family } = routes;
  const conntrack = createConntrack(clock);
  const translate = createTranslate({ conntrack, random, routes });
  const ipsets = createIpsets(family, random);
  const xtables = createXtables({ clock, random, routes, translate, sets: ipsets });
  const nftables = createNftables({ clock, random, routes, translate });
  const ipvs = createIpvs({ clock, conntrack, routes });
  const natRules = [
    ...(masquerades === undefined ? [] : [cniMasquerade(masquerades, translate)]),
    ...xtables.natRules,
    ...nftables.natRules,
  ];
  const hooks = orderHooks([
    ...trackingHooks({ conntrack, random }),
    ...natHooks(natRules),
    rerouteHook(routes),
    ...xtables.hooks,
    ...nftables.hooks,
    ...ipvs.hooks,
    ...others,
  ]);
  const path = { hooks, routes };

  let loads = 0;
  function load(program: Program): void {
    loads++;
    switch (program.kind) {
      case 'xtables':
        xtables.load(program);
        break;
      case 'nftables':
        nftables.load(program);
        break;
      case 'ipvs':
        ipsets.check(program.ipsets);
        ipvs.check(program);
        if (program.xtables !== undefined) xtables.load(program.xtables);
        // Nothing from here on can fail.
        ipsets.change(program.ipsets, program.full);
        ipvs.load(program);
        break;
      default:
        program satisfies never;
    }
  }

  return {
    family,
    clock,
    routes,
    xtables,
    nftables,
    ipsets,
    ipvs,
    load,
    get loads() {
      return loads;
    },
    connect(request) {
      draw = request.random ?? options.random;
      try {
        return connect(path, { conntrack, ipvs }, request);
      } finally {
        draw = options.random;
      }
    },
    evaluate: (packet, context) => evaluate(path, packet, context),
    conntrack: () => conntrack.entries(),
    forget: entry => conntrack.remove(entry as MutableEntry),
    cleanupUdp: services => conntrack.cleanupUdp(services),
  };
}

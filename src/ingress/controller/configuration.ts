import type { SecureContext } from 'node:tls';
import type { Clock } from '../../machinery/clock.js';
import { compareText } from '../../machinery/compare-text.js';
import { byHost } from '../routing/certificates.js';
import { compileRoutes, type Rule, type RouteTable } from '../routing/route-table.js';
import type { Route } from '../routing/route.js';
import type { ShownCertificate, Source } from './source.js';

/** What holds for requests, as of the last change. */
export interface Configuration {
  /** Something that sources look at has changed: all of it is compiled soon, once for many changes. */
  changed(): void;
  compile(): void;
  routes(port: number): RouteTable<Route> | undefined;
  contextOf(name: string | undefined): SecureContext;
}

export interface ConfigurationOptions {
  readonly sources: () => readonly Source[];
  readonly clock: Clock;
  /** Shown where no other certificate is for the name. */
  readonly defaultContext: SecureContext;
  readonly onCompiled: () => void;
}

/** What comes within this time is compiled together. */
const GATHER_MS = 20;

export function createConfiguration({
  sources,
  clock,
  defaultContext,
  onCompiled,
}: ConfigurationOptions): Configuration {
  let tables: ReadonlyMap<number, RouteTable<Route>> = new Map();
  let contexts: ReadonlyMap<string, () => SecureContext> = new Map();
  let waiting = false;
  const compile = (): void => {
    const contributions = sources().map(source => source.compile());
    const rules = new Map<number, Rule<Route>[]>();
    for (const contribution of contributions)
      for (const [port, of] of contribution.rules) {
        const there = rules.get(port) ?? [];
        rules.set(port, there);
        for (const rule of of) there.push(rule);
      }
    tables = new Map([...rules].map(([port, of]) => [port, compileRoutes(of)]));
    contexts = contextsOf(contributions.flatMap(({ certificates }) => certificates));
    onCompiled();
  };
  return {
    compile,
    changed() {
      if (waiting) return;
      waiting = true;
      clock.after(
        GATHER_MS,
        () => {
          waiting = false;
          compile();
        },
        { work: true, unref: true },
      );
    },
    routes: port => tables.get(port),
    contextOf(name = '') {
      const context = byHost(contexts, name.toLowerCase()) ?? contexts.get('');
      return context?.() ?? defaultContext;
    },
  };
}

/** Of several for one host the oldest one's. */
function contextsOf(certificates: readonly ShownCertificate[]): ReadonlyMap<string, () => SecureContext> {
  const sorted = [...certificates].sort(
    ({ origin: a }, { origin: b }) =>
      compareText(b.created, a.created) || compareText(b.key, a.key) || b.index - a.index,
  );
  return new Map(sorted.map(({ host, context }) => [host, context]));
}

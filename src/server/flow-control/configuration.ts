import type { Clock } from '../../machinery/clock.js';
import type { UserInfo } from '../../api/strategy.js';
import type { RequestInfo } from '../pipeline/request-info.js';
import { allocate } from './allocation.js';
import { applyLimit, claimOf, createLevel, isBroken, setNominal, sharesOf, type Level } from './level.js';
import { matcherOf, type Matcher } from './match.js';
import type { Classification, FlowSchema, FlowSeries, PriorityLevel } from './types.js';

/** A schema in use. */
export interface ActiveSchema {
  readonly name: string;
  /** What its requests are told. */
  readonly classification: Classification;
  readonly level: Level;
  readonly matches: Matcher;
  readonly distinguish: (info: RequestInfo, user: UserInfo) => string;
  readonly flow: FlowSeries;
}

/** Objects that are always there, stored or not. */
export interface Mandatory {
  readonly levels: readonly PriorityLevel[];
  readonly schemas: readonly FlowSchema[];
}

/** What the stored objects come to. */
export interface Configuration {
  /** Takes the objects that are stored; gives those schemas whose level there is not. */
  digest(levels: Iterable<PriorityLevel>, schemas: Iterable<FlowSchema>): ReadonlySet<FlowSchema>;
  /** The first schema that matches: there is always one. */
  classify(info: RequestInfo, user: UserInfo): ActiveSchema;
  /** Divides the seats anew, by what each level needed since the last time. */
  adjust(): void;
  readonly levels: ReadonlyMap<string, Level>;
  /** In the order in which they are asked. */
  readonly schemas: readonly ActiveSchema[];
  fairFraction(): number;
}

export interface ConfigurationOptions {
  readonly clock: Clock;
  readonly soon: (callback: () => void) => void;
  /** Seats in all. */
  readonly serverLimit: number;
  readonly mandatory: Mandatory;
  readonly flowOf: (level: string, schema: string) => FlowSeries;
  /** A level that nobody wants any more is idle: the objects should be digested again. */
  readonly onQuiet: () => void;
}

type MeasuredLevel = ReturnType<typeof createLevel>;

const nameOf = ({ metadata }: PriorityLevel | FlowSchema): string => metadata.name ?? '';

function byPrecedence(a: FlowSchema, b: FlowSchema): number {
  const difference = (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0);
  return difference !== 0 ? difference : nameOf(a) < nameOf(b) ? -1 : 1;
}

const distinguisherOf = ({ spec }: FlowSchema): ActiveSchema['distinguish'] => {
  switch (spec?.distinguisherMethod?.type) {
    case 'ByUser':
      return (_info, user) => user.name;
    case 'ByNamespace':
      return info => info.namespace;
    default:
      return () => '';
  }
};

/** k8s.io/apiserver pkg/util/flowcontrol/apf_controller.go. */
export function createConfiguration(options: ConfigurationOptions): Configuration {
  const { clock, soon, serverLimit, mandatory, flowOf, onQuiet } = options;
  let levels = new Map<string, MeasuredLevel>();
  let schemas: ActiveSchema[] = [];
  let fairFraction = 0;

  const levelFor = (config: PriorityLevel): MeasuredLevel => {
    const known = levels.get(nameOf(config));
    if (known === undefined) return createLevel(config, { clock, soon, onIdle: level => level.quiescing && onQuiet() });
    known.quiescing = false;
    return known;
  };

  const digestLevels = (stored: Iterable<PriorityLevel>): Map<string, MeasuredLevel> => {
    const next = new Map<string, MeasuredLevel>();
    const take = (config: PriorityLevel): void => {
      const level = levelFor(config);
      // Its hands are of its queues.
      if (level.config !== config) level.hands = undefined;
      level.config = config;
      next.set(level.name, level);
    };
    for (const config of stored) if (!isBroken(config)) take(config);
    for (const config of mandatory.levels) if (!next.has(nameOf(config))) take(config);
    return next;
  };

  const activate = (schema: FlowSchema, level: Level): ActiveSchema => ({
    name: nameOf(schema),
    classification: { schemaUid: schema.metadata.uid ?? '', levelUid: level.config.metadata.uid ?? '' },
    level,
    matches: matcherOf(schema),
    distinguish: distinguisherOf(schema),
    flow: flowOf(level.name, nameOf(schema)),
  });

  const adjust = (): void => {
    for (const level of levels.values()) level.measure();
    const limited = [...levels.values()].filter(level => !level.exempt);
    let remaining = 0;
    for (const level of levels.values()) remaining += level.nominal;
    const total = remaining;
    for (const level of levels.values()) {
      if (!level.exempt) continue;
      // What is exempt takes what it needs.
      level.current = level.target = Math.max(level.lower, level.demand.highWatermark);
      remaining -= level.current;
    }
    const claims = limited.map(claimOf);
    const least = limited.reduce((sum, { lower }) => sum + lower, 0);
    const needed = claims.reduce((sum, { lowerBound }) => sum + lowerBound, 0);
    const division = remaining > needed ? allocate(total, claims) : undefined;
    fairFraction = division?.fairFraction ?? 0;
    const part = remaining <= least ? 0 : (remaining - least) / (needed - least);
    limited.forEach((level, i) => {
      const { lowerBound = 0, target = 0 } = claims[i] ?? {};
      level.target = target;
      if (remaining <= needed) level.current = level.lower + Math.round((lowerBound - level.lower) * part);
      else if (division !== undefined) level.current = Math.round(division.seats[i] ?? 0);
    });
    for (const level of levels.values()) applyLimit(level);
  };

  return {
    get levels() {
      return levels;
    },
    get schemas() {
      return schemas;
    },
    fairFraction: () => fairFraction,
    adjust,
    digest(storedLevels, storedSchemas) {
      const wanted = digestLevels(storedLevels);
      const dangling = new Set<FlowSchema>();
      const usable: FlowSchema[] = [];
      for (const schema of storedSchemas) {
        if (wanted.has(schema.spec?.priorityLevelConfiguration.name ?? '')) usable.push(schema);
        else dangling.add(schema);
      }
      const there = new Set(usable.map(nameOf));
      for (const schema of mandatory.schemas) if (!there.has(nameOf(schema))) usable.push(schema);
      usable.sort(byPrecedence);
      schemas = usable.flatMap(schema => {
        const level = wanted.get(schema.spec?.priorityLevelConfiguration.name ?? '');
        return level === undefined ? [] : [activate(schema, level)];
      });
      // What still has requests stays until they are answered, and has its part of the seats.
      for (const [name, level] of levels) {
        if (wanted.has(name) || level.queueSet.isIdle()) continue;
        level.quiescing = true;
        wanted.set(name, level);
      }
      levels = wanted;
      let shares = 0;
      for (const { config } of levels.values()) shares += sharesOf(config);
      for (const level of levels.values()) setNominal(level, serverLimit, shares);
      adjust();
      return dangling;
    },
    classify(info, user) {
      for (const schema of schemas) if (schema.matches(info, user)) return schema;
      const last = schemas.at(-1);
      // catch-all is there from the first digest on.
      if (last === undefined) throw new Error('no flow schema has been digested');
      return schemas.find(({ name }) => name === 'catch-all') ?? last;
    },
  };
}

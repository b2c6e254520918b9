import type { RuleCompiler, RuleType } from './rule-context.js';

const NOTHING: RuleType = {
  property: () => NOTHING,
  items: () => NOTHING,
  additional: () => NOTHING,
  compile: rules =>
    rules.map(() => ({
      error: { type: 'invalid', detail: 'rules in CEL are not evaluated by this server' },
      usesOldSelf: true,
      maxCost: 0,
      maxCardinality: 1,
    })),
};

/** Where nothing evaluates rules, none is taken: who got a "created" would trust in it. */
export const noRules: RuleCompiler = { typeOf: () => NOTHING };

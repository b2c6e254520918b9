import type { KindDeps } from '../../src/kinds/deps.js';

const refuse = (): never => {
  throw new Error('nobody is asked here');
};

/** What kinds need, for tests in which nobody is authorized or authenticated. "Random" numbers count up from 0. */
export function kindDeps(): KindDeps {
  let counter = 0;
  return {
    serviceCidrs: ['10.96.0.0/16'],
    nodePortRange: { first: 30000, last: 32767 },
    random: n => counter++ % n,
    uuid: () => `00000000-0000-4000-8000-${String(counter++).padStart(12, '0')}`,
    authorize: refuse,
    rulesFor: refuse,
    authenticateToken: refuse,
    issueToken: refuse,
    apiAudiences: [],
  };
}

import t from 'tap';
import { realClock } from '../../../src/machinery/clock.js';
import { createTurns } from '../../../src/machinery/turns.js';
import { createCatalog } from '../../../src/api/create-catalog.js';
import { createAdmission } from '../../../src/server/admission/index.js';
import { pluginListProblem, SERVED_PLUGINS } from '../../../src/server/admission/names.js';
import type { PoliciesOptions } from '../../../src/server/admission/policies/validating.js';
import { createPolicyMetrics } from '../../../src/server/admission/policies/metrics.js';
import { createHookMetrics } from '../../../src/server/admission/webhooks/metrics.js';
import type { WebhooksOptions } from '../../../src/server/admission/webhooks/options.js';
import { createVersions } from '../../../src/server/admission/webhooks/versions.js';
import { alwaysDeny } from '../../../src/server/auth/authorizer.js';

const CATALOG = createCatalog({});

const unasked: WebhooksOptions = {
  catalog: CATALOG,
  turns: createTurns(realClock),
  call: () => Promise.reject(new Error('nobody is called')),
  uuid: () => '',
  equivalents: () => [],
  versions: createVersions(CATALOG),
  metrics: createHookMetrics(),
  compileConditions: () => () => Promise.resolve([]),
  ready: () => false,
};

const noPolicies: PoliciesOptions = {
  ...unasked,
  authorizer: alwaysDeny,
  clock: realClock,
  metrics: createPolicyMetrics(),
};

t.test('lists of plugins', t => {
  const all = createAdmission({ random: () => 0, authorizer: alwaysDeny, webhooks: unasked, policies: noPolicies }).map(
    plugin => plugin.name,
  );
  t.same(all, SERVED_PLUGINS, 'names are those of the plugins, in order');
  const cases: [string[], string[], string | undefined][] = [
    [['NodeRestriction', 'PodSecurity'], ['LimitRanger'], undefined],
    [[], ['AlwaysPullImages'], undefined],
    [['AlwaysPullImages'], [], '--enable-admission-plugins: AlwaysPullImages is not supported'],
    [['Nonsense'], [], 'enable-admission-plugins plugin "Nonsense" is unknown'],
    [[], ['Nonsense'], 'disable-admission-plugins plugin "Nonsense" is unknown'],
    [['Priority'], ['Priority'], '[Priority] in enable-admission-plugins and disable-admission-plugins overlapped'],
  ];
  for (const [on, off, expected] of cases)
    t.equal(pluginListProblem(on, off), expected, `${on.join()} / ${off.join()}`);
  t.end();
});

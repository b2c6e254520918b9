import type { Turns } from '../../machinery/turns.js';
import type { Catalog } from '../../api/catalog.js';
import { createCompileConditions } from '../admission/expressions/match-conditions.js';
import { createAdmission } from '../admission/index.js';
import { createEquivalents } from '../admission/matching/equivalents.js';
import { createPolicyMetrics } from '../admission/policies/metrics.js';
import type { AdmissionPlugin } from '../admission/types.js';
import { createHookMetrics } from '../admission/webhooks/metrics.js';
import { createVersions } from '../admission/webhooks/versions.js';
import { rbacEscalationCheck } from '../auth/rbac/escalation.js';
import type { Family } from '../endpoints/metric-families.js';
import type { Security } from '../security.js';
import type { CallWebhook } from '../webhook-client/call.js';
import type { Settings } from './settings.js';

export interface AdmissionParts {
  readonly catalog: Catalog;
  readonly turns: Turns;
  readonly security: Pick<Security, 'authorizer' | 'resolver'>;
  readonly call: CallWebhook;
  /** Whether the server serves. */
  readonly ready: () => boolean;
}

export interface ComposedAdmission {
  /** Those that are on, in order. */
  readonly plugins: readonly AdmissionPlugin[];
  /** What they count. */
  readonly families: readonly Family[];
}

/** Who is asked about every write. What nobody can turn off comes last. */
export function composeAdmission(
  { clock, random, disabledAdmission }: Settings,
  { catalog, turns, security, call, ready }: AdmissionParts,
): ComposedAdmission {
  const { authorizer, resolver } = security;
  const [hookMetrics, policyMetrics] = [createHookMetrics(), createPolicyMetrics()];
  const shared = { catalog, turns, equivalents: createEquivalents(catalog), versions: createVersions(catalog) };
  const plugins = createAdmission({
    random: n => random.below(n),
    authorizer,
    webhooks: {
      ...shared,
      call,
      uuid: () => random.uuid(),
      metrics: hookMetrics,
      compileConditions: createCompileConditions(authorizer, turns),
      ready,
    },
    policies: { ...shared, authorizer, clock, metrics: policyMetrics },
  });
  return {
    plugins: [
      ...plugins.filter(({ name }) => !disabledAdmission.includes(name)),
      rbacEscalationCheck(authorizer, resolver),
    ],
    families: [...hookMetrics.families, ...policyMetrics.families],
  };
}

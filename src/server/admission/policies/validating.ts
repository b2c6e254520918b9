import type { Clock } from '../../../machinery/clock.js';
import { notFoundError, StatusError, type StatusReason } from '../../../machinery/status.js';
import { inTurns } from '../../../machinery/steps.js';
import type { Turns } from '../../../machinery/turns.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import type { Catalog } from '../../../api/catalog.js';
import type { RequestContext } from '../../../api/strategy.js';
import type { Authorizer } from '../../auth/authorizer.js';
import { activationOf, type ExpressionInput } from '../expressions/activation.js';
import { forbid } from '../forbidden.js';
import { attributesOf, type Attributes } from '../matching/attributes.js';
import type { Equivalents } from '../matching/equivalents.js';
import { matchRequest, type Match } from '../matching/match.js';
import type { AdmissionPlugin, AdmissionRequest } from '../types.js';
import type { Versioned, Versions } from '../webhooks/versions.js';
import { createAnnotations } from './annotations.js';
import type { CompiledBinding, CompiledPolicy } from './compile.js';
import { judge, type Denial, type Failure, type Judgement } from './judge.js';
import type { Check, PolicyMetrics } from './metrics.js';
import { collectParams, ConfigurationError, paramResource } from './params.js';
import { createPolicySource, type BoundPolicy } from './source.js';

export interface PoliciesOptions {
  readonly catalog: Catalog;
  readonly turns: Turns;
  readonly authorizer: Authorizer;
  readonly equivalents: Equivalents;
  readonly versions: Versions;
  readonly clock: Clock;
  readonly metrics: PolicyMetrics;
}

/** Policies do not judge what says who may do something, without which the cluster may not work, nor themselves. */
const EXCLUDED = new Set([
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'mutatingadmissionpolicies.admissionregistration.k8s.io',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
  'selfsubjectreviews.authentication.k8s.io',
  'tokenreviews.authentication.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectrulesreviews.authorization.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
]);

const ACTION_LABELS: Readonly<Record<string, Check['action']>> = { Deny: 'deny', Audit: 'audit', Warn: 'warn' };

interface Denied {
  readonly policy: CompiledPolicy;
  readonly binding?: CompiledBinding;
  readonly message: string;
  readonly reason?: string;
}

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

/** Only the first one is told of. */
function denial(request: AdmissionRequest, { policy, binding, message, reason = 'Invalid' }: Denied): StatusError {
  const bound = binding === undefined ? '' : ` with binding '${binding.name}'`;
  const text = `ValidatingAdmissionPolicy '${policy.name}'${bound} denied request: ${message}`;
  const { status } = forbid(request, text, [{ message: text }]);
  return new StatusError(CODES[reason] ?? 422, reason as StatusReason, status.message ?? text, status.details);
}

/** One request on its way past the policies. */
interface Pass {
  readonly ctx: RequestContext;
  readonly request: AdmissionRequest;
  readonly asked: Attributes;
  readonly denied: Denied[];
}

export function createValidatingPolicies(options: PoliciesOptions): AdmissionPlugin {
  const { catalog, turns, authorizer, equivalents, versions, clock, metrics } = options;
  const source = createPolicySource(turns);

  const matches = (criteria: CompiledPolicy['criteria'], { ctx, request, asked }: Pass): Promise<Match | undefined> =>
    matchRequest(criteria, ctx, request, asked, { object: request.object, old: request.old }, equivalents);

  /** What cannot be set up denies the request, unless the policy's failures are to be ignored. */
  const configured = async <T>(
    { denied }: Pass,
    policy: CompiledPolicy,
    binding: CompiledBinding | undefined,
    work: () => T | Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConfigurationError || error instanceof StatusError)) throw error;
      const what = binding === undefined ? 'policy' : 'binding';
      const found = { policy, message: `failed to configure ${what}: ${error.message}` };
      if (!policy.ignoresFailures) denied.push(binding === undefined ? found : { ...found, binding });
      return undefined;
    }
  };

  const namespaceOf = ({ ctx, asked }: Pass): DeepReadonly<KubeObject> | undefined => {
    // What makes or changes a Namespace is told to be in it.
    const { kind, namespace: name } = asked;
    if (name === '' || (kind.group === '' && kind.version === 'v1' && kind.kind === 'Namespace')) return undefined;
    const found = ctx.objects.get('namespaces', { namespace: '', name });
    if (found === undefined) throw notFoundError({ group: '', resource: 'namespaces' }, name);
    return found;
  };

  const judged = (policy: CompiledPolicy, pass: Pass, input: ExpressionInput): Promise<Judgement> => {
    const { namespace: _namespace, ...unplaced } = input;
    const own = { ...unplaced, match: { ...input.match, resource: pass.asked.resource } };
    const activations = {
      validation: activationOf(input, authorizer),
      condition: activationOf(own, authorizer),
      message: activationOf(input, undefined),
    };
    return inTurns(
      judge(policy, activations, () => clock.monotonic()),
      turns,
    );
  };

  const counted = (
    policy: CompiledPolicy,
    binding: CompiledBinding,
    action: Check['action'],
    { message, elapsedMs }: Failure,
  ): void => metrics.checked({ policy: policy.name, binding: binding.name, action, message, elapsedMs });

  const act = (pass: Pass, policy: CompiledPolicy, binding: CompiledBinding, denial: Denial) => {
    const { message, reason, index, elapsedMs } = denial;
    for (const action of binding.actions) {
      const label = ACTION_LABELS[action];
      if (label !== undefined) counted(policy, binding, label, { message, elapsedMs });
      if (action === 'Deny') {
        pass.denied.push({ policy, binding, message, ...(reason === undefined ? {} : { reason }) });
      } else if (action === 'Warn') {
        const who = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}'`;
        pass.ctx.warn(`Validation failed for ${who}: ${message}`);
      } else if (action === 'Audit') {
        const failure = {
          message,
          policy: binding.policy,
          binding: binding.name,
          expressionIndex: index,
          validationActions: binding.actions,
        };
        pass.ctx.annotate?.('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]));
      }
    }
  };

  const askPolicy = async (pass: Pass, { policy, bindings }: BoundPolicy): Promise<void> => {
    const match = await configured(pass, policy, undefined, () => matches(policy.criteria, pass));
    if (match === undefined) return;
    const resource = await configured(pass, policy, undefined, () => ({
      of: paramResource(catalog, policy.paramKind),
    }));
    if (resource === undefined) return;
    const annotations = createAnnotations();
    let versioned: Versioned | undefined;
    for (const binding of bindings) {
      const { criteria } = binding;
      const isBound =
        criteria === undefined ||
        (await configured(pass, policy, binding, () => matches(criteria, pass))) !== undefined;
      if (!isBound) continue;
      const params = await configured(pass, policy, binding, () =>
        collectParams(catalog, pass.ctx.objects, resource.of, binding.paramRef, pass.asked.namespace),
      );
      if (params === undefined) continue;
      const { request, asked, ctx } = pass;
      if (params.length > 0) versioned ??= await versions.show(request, asked, match, ctx.signal);
      const namespace = namespaceOf(pass);
      for (const param of params) {
        const { object, old } = versioned ?? {};
        const input: ExpressionInput = {
          asked,
          match,
          object,
          old,
          ...(param === undefined ? {} : { params: param }),
          ...(namespace === undefined ? {} : { namespace }),
        };
        const found = await judged(policy, pass, input);
        for (const one of found.denials) act(pass, policy, binding, one);
        for (const [key, value] of found.annotations) annotations.add(key, value);
        for (const one of found.ignored) counted(policy, binding, 'allow', one);
        for (const one of found.failures) {
          pass.denied.push({ policy, binding, message: one.message });
          counted(policy, binding, 'deny', one);
        }
      }
    }
    annotations.tell((key, value) => pass.ctx.annotate?.(`${policy.name}/${key}`, value));
  };

  return {
    name: 'ValidatingAdmissionPolicy',
    async validate(ctx, request) {
      const { group, plural } = request.resource;
      if (EXCLUDED.has(`${plural}.${group}`)) return;
      const policies = await source(ctx.objects);
      if (policies.length === 0) return;
      const pass: Pass = { ctx, request, asked: attributesOf(ctx, request), denied: [] };
      for (const bound of policies) await askPolicy(pass, bound);
      const [first] = pass.denied;
      if (first !== undefined) throw denial(request, first);
    },
  };
}

import type * as k8s from '@kubernetes/client-node';
import { duplicate, errorList, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import { validateLabelSelector } from '../../machinery/validation/label-selector.js';
import { isDns1035Label, nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import {
  checkMatchConditions,
  checkOneOf,
  checkRule,
  FAILURE_POLICIES,
  HEAVY_EXPRESSIONS,
  MATCH_POLICIES,
} from './validation/admission-rules.js';
import { list } from '../validation/formats.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkFullyQualifiedName } from '../validation/qualified-name.js';
import { checkWebhookClient } from './validation/webhook.js';
import { ageCell, nameCell } from '../cells.js';
import { createRepeatCheck } from '../../machinery/repeats.js';

interface Configuration extends KubeObject {
  /** A ValidatingWebhook is a MutatingWebhook without reinvocationPolicy. */
  webhooks?: Wire<k8s.V1MutatingWebhook>[];
}
type ReadonlyConfiguration = DeepReadonly<Configuration>;
type Hook = DeepReadonly<Wire<k8s.V1MutatingWebhook>>;

const HOOKS = path('webhooks');
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];
const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const REINVOCATION_POLICIES = ['IfNeeded', 'Never'];
const MAX_SECONDS = 30;

/** What stored objects may keep: rules that came later do not bind those that broke them before. */
interface Leniency {
  readonly sideEffects: boolean;
  readonly reviewVersions: boolean;
  readonly names: boolean;
  readonly selectors: boolean;
  readonly matchConditions: boolean;
}

const STRICT: Leniency = {
  sideEffects: false,
  reviewVersions: false,
  names: false,
  selectors: false,
  matchConditions: false,
};

function leniencyFor(now: ReadonlyConfiguration, old: ReadonlyConfiguration): Leniency {
  const hooks = list(old.webhooks);
  const isUnknown = ({ admissionReviewVersions: versions }: Hook): boolean =>
    list(versions).length > 0 && !list(versions).some(version => REVIEW_VERSIONS.includes(version));
  const isMalformed = (hook: Hook): boolean =>
    [hook.namespaceSelector, hook.objectSelector].some(selector => validateLabelSelector(selector, HOOKS).length > 0);
  const conditions = (of: ReadonlyConfiguration): unknown => list(of.webhooks).map(hook => hook.matchConditions);
  return {
    sideEffects: hooks.some(({ sideEffects }) => !NO_SIDE_EFFECTS.includes(sideEffects)),
    reviewVersions: hooks.some(isUnknown),
    names: new Set(hooks.map(({ name }) => name)).size < hooks.length,
    selectors: hooks.some(isMalformed),
    matchConditions: jsonEqual(conditions(now), conditions(old)),
  };
}

function checkReviewVersions(out: FieldError[], at: FieldPath, versions: readonly string[], lenient: boolean): void {
  const known = REVIEW_VERSIONS.join(', ');
  if (versions.length === 0) return void out.push(required(at, `must specify one of ${known}`));
  const again = createRepeatCheck<string>();
  versions.forEach((version, i) => {
    if (again(version)) return void out.push(invalid(at.index(i), version, 'duplicate version'));
    for (const text of isDns1035Label(version)) out.push(invalid(at.index(i), version, text));
  });
  if (!lenient && !versions.some(version => REVIEW_VERSIONS.includes(version)))
    out.push(invalid(at, versions, `must include at least one of ${known}`));
}

function checkHook(out: FieldError[], at: FieldPath, hook: Hook, lenient: Leniency): void {
  checkFullyQualifiedName(out, at.child('name'), hook.name);
  list(hook.rules).forEach((rule, i) => checkRule(out, at.child('rules').index(i), rule));
  checkOneOf(out, at.child('failurePolicy'), hook.failurePolicy, FAILURE_POLICIES);
  checkOneOf(out, at.child('matchPolicy'), hook.matchPolicy, MATCH_POLICIES);
  const sideEffects = hook.sideEffects as string | null | undefined;
  const effects = lenient.sideEffects ? SIDE_EFFECTS : NO_SIDE_EFFECTS;
  if (sideEffects === undefined || sideEffects === null)
    out.push(required(at.child('sideEffects'), `must specify one of ${effects.join(', ')}`));
  else if (!effects.includes(sideEffects)) out.push(notSupported(at.child('sideEffects'), sideEffects, effects));
  const seconds = hook.timeoutSeconds;
  if (seconds !== undefined && (seconds > MAX_SECONDS || seconds < 1))
    out.push(invalid(at.child('timeoutSeconds'), seconds, 'the timeout value must be between 1 and 30 seconds'));
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    const options = { allowInvalidValues: lenient.selectors };
    for (const one of validateLabelSelector(hook[field], at.child(field), options)) out.push(one);
  }
  checkOneOf(out, at.child('reinvocationPolicy'), hook.reinvocationPolicy, REINVOCATION_POLICIES);
  checkWebhookClient(out, at.child('clientConfig'), hook.clientConfig);
  if (!lenient.matchConditions) checkMatchConditions(out, at.child('matchConditions'), list(hook.matchConditions), {});
}

function checkConfiguration(configuration: ReadonlyConfiguration, lenient: Leniency): FieldError[] {
  const out = errorList();
  const names = new Set<string>();
  list(configuration.webhooks).forEach((hook, i) => {
    const at = HOOKS.index(i);
    checkHook(out, at, hook, lenient);
    const versions = list(hook.admissionReviewVersions);
    checkReviewVersions(out, at.child('admissionReviewVersions'), versions, lenient.reviewVersions);
    if (!lenient.names && hook.name !== '' && names.has(hook.name)) out.push(duplicate(at.child('name'), hook.name));
    names.add(hook.name);
  });
  return out;
}

function defaultHooks(configuration: Configuration): void {
  for (const hook of configuration.webhooks ?? []) {
    hook.failurePolicy ??= 'Fail';
    hook.matchPolicy ??= 'Equivalent';
    hook.namespaceSelector ??= {};
    hook.objectSelector ??= {};
    hook.timeoutSeconds ??= 10;
    for (const rule of hook.rules ?? []) rule.scope ??= '*';
    const service = (hook.clientConfig as typeof hook.clientConfig | undefined)?.service;
    if (service !== undefined) service.port ??= 443;
  }
}

export const validatingWebhookConfigurationStrategy: Strategy<Configuration> = {
  heavy: HEAVY_EXPRESSIONS,
  default: defaultHooks,
  generationChanged: (now, old) => !jsonEqual(now.webhooks, old.webhooks),
  validate: (_ctx, configuration) => checkConfiguration(configuration, STRICT),
  validateUpdate(_ctx, configuration, old) {
    const out = errorList();
    checkMetadataAgain(out, configuration, { namespaced: false, name: nameIsDnsSubdomain, builtIn: false });
    return [...out, ...checkConfiguration(configuration, leniencyFor(configuration, old))];
  },
  cells: (configuration, nowMs) => ({
    cells: [nameCell(configuration), list(configuration.webhooks).length, ageCell(configuration, nowMs)],
  }),
};

export const mutatingWebhookConfigurationStrategy: Strategy<Configuration> = {
  ...validatingWebhookConfigurationStrategy,
  default(configuration) {
    defaultHooks(configuration);
    for (const hook of configuration.webhooks ?? []) hook.reinvocationPolicy ??= 'Never';
  },
};

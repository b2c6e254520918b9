import { errorList, forbidden, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { MANDATORY, PRIORITY_LEVELS, type PriorityLevelSpec } from './flow-control-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell, NONE } from '../cells.js';
import { checkConditions, statusPart, type Conditions } from './flow-control-status.js';

interface PriorityLevel extends KubeObject {
  spec?: PriorityLevelSpec;
  status?: Conditions;
}

const SPEC = path('spec');
const CLUSTER = { namespaced: false, name: nameIsDnsSubdomain };

type LevelSpec = DeepReadonly<PriorityLevelSpec>;
const LEVEL_TYPES = ['Exempt', 'Limited'];
const RESPONSES = ['Queue', 'Reject'];
const MAX_QUEUES = 10_000_000;
const MAX_ENTROPY = 60;
const ROUND_TRIP = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares';

function checkShares(out: FieldError[], at: FieldPath, shares: number | undefined, lendable: number | undefined): void {
  if (shares !== undefined && shares < 0)
    out.push(invalid(at.child('nominalConcurrencyShares'), shares, 'must be a non-negative integer'));
  if (lendable !== undefined && (lendable < 0 || lendable > 100))
    out.push(invalid(at.child('lendablePercent'), lendable, 'must be between 0 and 100, inclusive'));
}

type Limited = NonNullable<LevelSpec['limited']>;
type Queuing = NonNullable<NonNullable<Limited['limitResponse']>['queuing']>;

function checkQueuing(out: FieldError[], at: FieldPath, queuing: Queuing): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  if (queueLengthLimit <= 0) out.push(invalid(at.child('queueLengthLimit'), queueLengthLimit, 'must be positive'));
  if (queues <= 0) out.push(invalid(at.child('queues'), queues, 'must be positive'));
  else if (queues > MAX_QUEUES) out.push(invalid(at.child('queues'), queues, `must not be greater than ${MAX_QUEUES}`));
  const hand = at.child('handSize');
  if (handSize <= 0) return void out.push(invalid(hand, handSize, 'must be positive'));
  if (handSize > queues) return void out.push(invalid(hand, handSize, `should not be greater than queues (${queues})`));
  if (Math.ceil(Math.log2(queues) * handSize) <= MAX_ENTROPY) return;
  const text = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_ENTROPY}`;
  out.push(invalid(hand, handSize, text));
}

function checkLimited(out: FieldError[], at: FieldPath, limited: Limited): void {
  const { nominalConcurrencyShares, lendablePercent, borrowingLimitPercent, limitResponse } = limited;
  checkShares(out, at, nominalConcurrencyShares, undefined);
  const response = at.child('limitResponse');
  const queuing = limitResponse?.queuing;
  switch (limitResponse?.type) {
    case 'Reject':
      if (queuing !== undefined)
        out.push(forbidden(response.child('queuing'), 'must be nil if limited.limitResponse.type is not Limited'));
      break;
    case 'Queue':
      if (queuing !== undefined) checkQueuing(out, response.child('queuing'), queuing);
      else out.push(required(response.child('queuing'), 'must not be empty if limited.limitResponse.type is Limited'));
      break;
    default:
      out.push(notSupported(response.child('type'), limitResponse?.type ?? '', RESPONSES));
  }
  checkShares(out, at, undefined, lendablePercent);
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const text = 'if specified, must be a non-negative integer';
    out.push(invalid(at.child('borrowingLimitPercent'), borrowingLimitPercent, text));
  }
}

function checkLevelSpec(out: FieldError[], spec: LevelSpec, name: string): void {
  const { type, limited, exempt } = spec;
  if ((name === 'exempt') !== (type === 'Exempt'))
    out.push(invalid(SPEC.child('type'), type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  switch (type) {
    case 'Exempt':
      if (limited !== undefined) out.push(forbidden(SPEC.child('limited'), 'must be nil if the type is not Limited'));
      checkShares(out, SPEC.child('exempt'), exempt?.nominalConcurrencyShares, exempt?.lendablePercent);
      return;
    case 'Limited':
      if (exempt !== undefined) out.push(forbidden(SPEC.child('exempt'), 'must be nil if the type is Limited'));
      if (limited === undefined) out.push(required(SPEC.child('limited'), 'must not be empty when type is Limited'));
      else checkLimited(out, SPEC.child('limited'), limited);
      return;
    default:
      out.push(notSupported(SPEC.child('type'), type, LEVEL_TYPES));
  }
}

/** How much of the exempt level is set aside may be changed; nothing else about what is mandatory. */
function checkMandatoryLevel(out: FieldError[], spec: LevelSpec, name: string): void {
  const fixed = PRIORITY_LEVELS[name];
  if (!MANDATORY.includes(name) || fixed === undefined) return;
  const isExempt = name === 'exempt';
  if (semanticEqual(isExempt ? { ...spec, exempt: fixed.exempt } : spec, fixed)) return;
  const except = isExempt ? " except the 'spec.exempt' field" : '';
  const shown = goForm('PriorityLevelSpec', spec);
  out.push(invalid(SPEC, shown, `spec of '${name}'${except} must equal the fixed value`));
}

const EMPTY: LevelSpec = { type: '' };

function checkPriorityLevel({ metadata, spec = EMPTY, status }: DeepReadonly<PriorityLevel>): FieldError[] {
  const out = errorList();
  const name = metadata.name ?? '';
  if (metadata.annotations?.[ROUND_TRIP] !== undefined)
    out.push(forbidden(path('metadata', 'annotations'), `annotation '${ROUND_TRIP}' is forbidden`));
  checkLevelSpec(out, spec, name);
  checkMandatoryLevel(out, spec, name);
  checkConditions(out, status);
  return out;
}

export const priorityLevelConfigurationStrategy: Strategy<PriorityLevel> = {
  default({ spec }) {
    const { limited, exempt } = spec ?? {};
    if (exempt !== undefined) {
      exempt.nominalConcurrencyShares ??= 0;
      exempt.lendablePercent ??= 0;
    }
    if (limited === undefined) return;
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (queuing === undefined) return;
    queuing.handSize ||= 8;
    queuing.queues ||= 64;
    queuing.queueLengthLimit ||= 50;
  },
  validate: (_ctx, level) => checkPriorityLevel(level),
  validateUpdate(_ctx, level) {
    const out = errorList();
    checkMetadataAgain(out, level, CLUSTER);
    return [...out, ...checkPriorityLevel(level)];
  },
  cells(level, nowMs) {
    const limited = level.spec?.limited;
    const queuing = limited?.limitResponse?.queuing;
    return {
      cells: [
        nameCell(level),
        level.spec?.type ?? '',
        limited?.nominalConcurrencyShares ?? NONE,
        queuing?.queues ?? NONE,
        queuing?.handSize ?? NONE,
        queuing?.queueLengthLimit ?? NONE,
        ageCell(level, nowMs),
      ],
    };
  },
  subresources: { status: statusPart },
};

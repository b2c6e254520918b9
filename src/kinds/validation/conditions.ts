import {
  duplicate,
  invalid,
  notSupported,
  required,
  tooLong,
  type FieldError,
  type FieldPath,
} from '../../machinery/field-error.js';
import { checkQualifiedName } from './formats.js';

/** metav1.Condition. */
export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

const STATUSES = ['False', 'True', 'Unknown'];
const MAX_REASON = 1024;
const MAX_MESSAGE = 32 * 1024;
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const REASON_PATTERN = new RegExp(`^${REASON}$`);
const REASON_TEXT = `a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${REASON}')`;

/** Source: apimachinery pkg/apis/meta/v1/validation, ValidateConditions. */
export function checkConditions(out: FieldError[], at: FieldPath, conditions: readonly Condition[]): void {
  const seen = new Set<string>();
  conditions.forEach((condition, i) => {
    const field = at.index(i);
    const type = condition.type ?? '';
    if (seen.has(type)) out.push(duplicate(field.child('type'), type));
    seen.add(type);
    checkCondition(out, field, condition);
  });
}

function checkCondition(out: FieldError[], at: FieldPath, condition: Condition): void {
  const { type = '', status = '', observedGeneration = 0, reason = '', message = '' } = condition;
  checkQualifiedName(out, at.child('type'), type);
  if (!STATUSES.includes(status)) out.push(notSupported(at.child('status'), status, STATUSES));
  if (observedGeneration < 0)
    out.push(invalid(at.child('observedGeneration'), observedGeneration, 'must be greater than or equal to zero'));
  if (!condition.lastTransitionTime) out.push(required(at.child('lastTransitionTime')));
  if (reason === '') out.push(required(at.child('reason')));
  else {
    if (!REASON_PATTERN.test(reason)) out.push(invalid(at.child('reason'), reason, REASON_TEXT));
    if (reason.length > MAX_REASON) out.push(tooLong(at.child('reason'), MAX_REASON));
  }
  if (message.length > MAX_MESSAGE) out.push(tooLong(at.child('message'), MAX_MESSAGE));
}

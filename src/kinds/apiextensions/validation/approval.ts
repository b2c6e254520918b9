import { invalid, path, required, type FieldError } from '../../../machinery/field-error.js';
import { quote } from '../../../machinery/go-text.js';
import type { ReadonlyDefinition } from '../types.js';

const ANNOTATION = 'api-approved.kubernetes.io';
const WHERE = path('metadata', 'annotations').key(ANNOTATION);
const SEE = 'see https://github.com/kubernetes/enhancements/pull/1111';

/** Groups of the Kubernetes community: what is defined there has been talked about. */
export const isProtectedGroup = (group: string): boolean =>
  ['k8s.io', 'kubernetes.io'].some(domain => group === domain || group.endsWith(`.${domain}`));

export type Approval = 'approved' | 'bypassed' | 'missing' | 'invalid';

export function approvalOf({ metadata }: ReadonlyDefinition): Approval {
  const text = metadata.annotations?.[ANNOTATION] ?? '';
  if (text === '') return 'missing';
  if (text.startsWith('unapproved')) return 'bypassed';
  // A URL with a scheme and a host, as url.ParseRequestURI takes it.
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#\s\x00-\x20]+/.test(text) && !/[\x00-\x20\x7f]/.test(text)
    ? 'approved'
    : 'invalid';
}

/** What has not changed is not looked at: who only changes the spec has nothing to do with it. */
export function checkApproval(out: FieldError[], now: ReadonlyDefinition, old: ReadonlyDefinition | undefined): void {
  if (!isProtectedGroup(now.spec?.group ?? '')) return;
  const approval = approvalOf(now);
  if (old !== undefined && approvalOf(old) === approval) return;
  const must = `protected groups must have approval annotation ${quote(ANNOTATION)}`;
  if (approval === 'missing') out.push(required(WHERE, `${must}, ${SEE}`));
  if (approval === 'invalid') {
    const why = `${must} with either a URL or a reason starting with "unapproved", ${SEE}`;
    out.push(invalid(WHERE, now.metadata.annotations?.[ANNOTATION], why));
  }
}

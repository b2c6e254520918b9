import { quote } from '../../machinery/go-text.js';
import type { Condition, Definition } from './definition.js';
import { groupOf } from './definition.js';

const ANNOTATION = 'api-approved.kubernetes.io';
const SEE = 'see https://github.com/kubernetes/enhancements/pull/1111';

const isProtected = (group: string): boolean =>
  ['k8s.io', 'kubernetes.io'].some(owner => group === owner || group.endsWith(`.${owner}`));

/** Whether a URL, as Go's ParseRequestURI reads it, has a scheme and a host. */
function isUrl(text: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]/.test(text)) return false;
  return URL.canParse(text);
}

/**
 * Groups of the Kubernetes community are for APIs that it has approved. undefined: the group is nobody's.
 * Source: apiextensions-apiserver pkg/apihelpers.
 */
export function approvalOf(
  definition: Definition,
):
  | (Pick<Condition, 'status' | 'reason' | 'message'> & { readonly type: 'KubernetesAPIApprovalPolicyConformant' })
  | undefined {
  if (!isProtected(groupOf(definition))) return undefined;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const said = definition.metadata.annotations?.[ANNOTATION] ?? '';
  const must = `protected groups must have approval annotation ${quote(ANNOTATION)}`;
  if (said === '') return { type, status: 'False', reason: 'MissingAnnotation', message: `${must}, ${SEE}` };
  if (said.startsWith('unapproved'))
    return { type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${quote(said)}` };
  if (isUrl(said)) return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${said}` };
  const or = 'with either a URL or a reason starting with "unapproved"';
  return { type, status: 'False', reason: 'InvalidAnnotation', message: `${must} ${or}, ${SEE}` };
}

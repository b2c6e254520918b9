import { forbiddenError, StatusError } from '../../machinery/status.js';
import type { Attributes } from './authorizer.js';
import { quote } from './quote.js';

/** Upstream writes what clients sent into these texts escaped for HTML (text/template's HTMLEscape on names). */
const escapeHtml = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** `User "x" cannot list resource "pods" in API group "" in the namespace "ns"`. */
export function describeAttempt(a: Attributes): string {
  const user = quote(escapeHtml(a.user.name));
  if (!a.isResource) return `User ${user} cannot ${a.verb} path ${quote(escapeHtml(a.path))}`;
  const resource = a.subresource === '' ? a.resource : `${a.resource}/${a.subresource}`;
  const where = a.namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(escapeHtml(a.namespace))}`;
  return `User ${user} cannot ${a.verb} resource ${quote(escapeHtml(resource))} in API group ${quote(escapeHtml(a.group))} ${where}`;
}

/** The 403 of a request that is not allowed (k8s.io/apiserver responsewriters.Forbidden). */
export function notAllowedError(a: Attributes, reason: string): StatusError {
  const message = describeAttempt(a) + (reason === '' ? '' : `: ${reason}`);
  if (!a.isResource) return new StatusError(403, 'Forbidden', `forbidden: ${message}`, {});
  return forbiddenError({ group: a.group, resource: a.resource }, a.name, message);
}

import { forbiddenError, type StatusCause, type StatusError } from '../../machinery/status.js';
import type { AdmissionRequest } from './types.js';

/** admission.NewForbidden: names the object as far as it has a name yet. */
export function forbid(request: AdmissionRequest, why: string, causes?: StatusCause[]): StatusError {
  const { resource, key, object } = request;
  const name = key.name || object?.metadata.name || object?.metadata.generateName || 'Unknown';
  return forbiddenError({ group: resource.group, resource: resource.plural }, name, why, causes);
}

/** Whether the request is about a resource itself: resourceIs(request, '', 'pods'). */
export const isResource = ({ resource }: AdmissionRequest, group: string, plural: string): boolean =>
  resource.plural === plural && resource.group === group;

export const isPodCreate = (request: AdmissionRequest): boolean =>
  request.operation === 'CREATE' && request.subresource === '' && isResource(request, '', 'pods');

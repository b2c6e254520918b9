import { required, invalid, tooLong, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { goLength } from '../../../machinery/go-text.js';
import { dnsSubdomainErrors } from '../../validation/formats.js';

const MAX_DRIVER_NAME = 63;

/** A DNS subdomain in whatever case. */
export function checkCsiDriverName(out: FieldError[], at: FieldPath, name: string | undefined): void {
  if (!name) return void out.push(required(at));
  if (goLength(name) > MAX_DRIVER_NAME) out.push(tooLong(at, MAX_DRIVER_NAME));
  for (const text of dnsSubdomainErrors(name.toLowerCase())) out.push(invalid(at, name, text));
}

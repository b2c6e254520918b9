import { invalid, required, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import { isDns1123Label, isDns1123Subdomain } from '../../machinery/validation/names.js';

function checkSegments(out: FieldError[], at: FieldPath, name: string, count: number, words: string): boolean {
  const problems = isDns1123Subdomain(name);
  if (problems.length > 0) out.push(invalid(at, name, problems.join(',')));
  else if (name.split('.').length < count)
    out.push(invalid(at, name, `should be a domain with at least ${words} segments separated by dots`));
  else return true;
  return false;
}

/** Such as a webhook's: "pods.policy.example.com". */
export function checkFullyQualifiedName(out: FieldError[], at: FieldPath, name: string): void {
  if (name === '') out.push(required(at));
  else checkSegments(out, at, name, 3, 'three');
}

/** A host name with its domain; a final dot may stand. */
export function checkFullyQualifiedDomainName(out: FieldError[], at: FieldPath, name: string): void {
  if (name === '') return void out.push(required(at));
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  if (!checkSegments(out, at, bare, 2, 'two')) return;
  for (const label of bare.split('.')) {
    const problems = isDns1123Label(label);
    if (problems.length > 0) return void out.push(invalid(at, label, problems.join(',')));
  }
}

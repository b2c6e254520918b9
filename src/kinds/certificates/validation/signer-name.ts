import { invalid, required, tooLong, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { goLength, quote } from '../../../machinery/go-text.js';
import {
  DNS1123_LABEL_MAX_LENGTH,
  DNS1123_SUBDOMAIN_MAX_LENGTH,
  isDns1123Label,
  isDns1123Subdomain,
} from '../../../machinery/validation/names.js';

const MAX_PATH = DNS1123_SUBDOMAIN_MAX_LENGTH + DNS1123_LABEL_MAX_LENGTH + 1;

/** Upstream stops at the first part that is wrong. */
function checkParts(
  out: FieldError[],
  at: FieldPath,
  text: string,
  problemsOf: (part: string) => readonly string[],
): readonly string[] {
  const parts = text.split('.');
  const wrong = parts.find(part => problemsOf(part).length > 0);
  if (wrong !== undefined)
    for (const problem of problemsOf(wrong))
      out.push(invalid(at, text, `validating label ${quote(wrong)}: ${problem}`));
  return parts;
}

/** "example.com/signer-name" */
export function checkSignerName(out: FieldError[], at: FieldPath, name: string): void {
  if (name === '') return void out.push(required(at));
  const [domain = '', rest, ...more] = name.split('/');
  if (rest === undefined || more.length > 0) {
    const text = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return void out.push(invalid(at, name, text));
  }
  if (goLength(domain) > DNS1123_SUBDOMAIN_MAX_LENGTH) out.push(tooLong(at, DNS1123_SUBDOMAIN_MAX_LENGTH));
  if (checkParts(out, at, domain, isDns1123Label).length < 2)
    out.push(invalid(at, domain, 'should be a domain with at least two segments separated by dots'));
  checkParts(out, at, rest, isDns1123Subdomain);
  const most = DNS1123_SUBDOMAIN_MAX_LENGTH + MAX_PATH + 1;
  if (goLength(name) > most) out.push(tooLong(at, most));
}

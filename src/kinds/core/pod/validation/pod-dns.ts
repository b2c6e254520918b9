import { invalid, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import { checkDnsSubdomainWithUnderscore, checkIp } from '../../../validation/formats.js';

type Spec = DeepReadonly<PodSpec>;

/** libc's limits. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARS = 2048;

export function checkDnsConfig(
  out: FieldError[],
  at: FieldPath,
  config: Spec['dnsConfig'],
  policy: string | undefined,
): void {
  const nameservers = config?.nameservers ?? [];
  if (policy === 'None') {
    if (config === undefined) return void out.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    if (nameservers.length === 0) {
      const text = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      return void out.push(required(at.child('nameservers'), text));
    }
  }
  if (config === undefined) return;
  if (nameservers.length > MAX_NAMESERVERS)
    out.push(invalid(at.child('nameservers'), nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`));
  nameservers.forEach((server, i) => checkIp(out, at.child('nameservers').index(i), server));
  const searches = config.searches ?? [];
  const field = at.child('searches');
  if (searches.length > MAX_SEARCHES)
    out.push(invalid(field, searches, `must not have more than ${MAX_SEARCHES} search paths`));
  if (searches.join(' ').length > MAX_SEARCH_CHARS) {
    const text = `must not have more than ${MAX_SEARCH_CHARS} characters (including spaces) in the search list`;
    out.push(invalid(field, searches, text));
  }
  searches.forEach((search, i) => {
    if (search !== '.') checkDnsSubdomainWithUnderscore(out, field.index(i), search.replace(/\.$/, ''));
  });
  (config.options ?? []).forEach((option, i) => {
    if (!option.name) out.push(required(at.child('options').index(i), 'must not be empty'));
  });
}

import { duplicate, invalid, path, required, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import { parsePrefix } from '../../machinery/cidr.js';
import { isMappedIp, parseLegacyIp } from '../../machinery/legacy-ip.js';
import { formatIP, type IpAddress, networkOf as firstOf, parseIP } from '../../machinery/ip.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, LabelSelector } from '../../machinery/types.js';
import { validateLabels, validateLabelSelector } from '../../machinery/validation/label-selector.js';
import * as names from '../../machinery/validation/names.js';
import { FIELD_IMMUTABLE, validateAnnotations } from '../../machinery/validation/object-meta.js';

/**
 * The checks of machinery/validation in the form that the rules here use: they add to a list of errors, so that a valid
 * object allocates nothing.
 */
type Texts = (value: string) => string[];
export type Check<T> = (out: FieldError[], at: FieldPath, value: T) => void;

const stringCheck =
  (texts: Texts): Check<string> =>
  (out, at, value) => {
    for (const text of texts(value)) out.push(invalid(at, value, text));
  };

export const checkDnsLabel = stringCheck(names.isDns1123Label);
export const checkDns1035Label = stringCheck(names.isDns1035Label);
export const checkDnsSubdomainWithUnderscore = stringCheck(names.isDns1123SubdomainWithUnderscore);
export const checkWildcardDnsSubdomain = stringCheck(names.isWildcardDns1123Subdomain);
export const checkQualifiedName = stringCheck(names.isQualifiedName);
export const checkLabelKey = checkQualifiedName;
export const checkPortName = stringCheck(names.isPortName);
export const checkConfigMapKey = stringCheck(names.isConfigMapKey);
export const checkEnvVarName = stringCheck(names.isRelaxedEnvVarName);
export const checkHttpHeaderName = stringCheck(names.isHttpHeaderName);
export const dnsSubdomainErrors: Texts = names.isDns1123Subdomain;
export const labelValueErrors: Texts = names.isLabelValue;
export const isQualifiedName = (name: string): boolean => names.isQualifiedName(name).length === 0;

/** `prefix`: the name will get a suffix, so that it may end in a dash. */
export function checkDnsSubdomain(out: FieldError[], at: FieldPath, value: string, prefix = false): void {
  for (const text of names.nameIsDnsSubdomain(value, prefix)) out.push(invalid(at, value, text));
}

const numberCheck =
  (texts: (value: number) => string[]): Check<number> =>
  (out, at, value) => {
    for (const text of texts(value)) out.push(invalid(at, value, text));
  };

export const checkPortNumber = numberCheck(names.isPortNumber);
export const checkUserId = numberCheck(names.isUserOrGroupId);
export const checkGroupId = numberCheck(names.isUserOrGroupId);

/** A number of a port or the name of one. */
export function checkPortNumberOrName(out: FieldError[], at: FieldPath, port: unknown): void {
  if (typeof port === 'string') checkPortName(out, at, port);
  else checkPortNumber(out, at, typeof port === 'number' ? port : 0);
}

/** Such as "acme.io/foo". */
export function checkDomainPrefixedPath(out: FieldError[], at: FieldPath, value: string): void {
  if (value === '') return void out.push(required(at));
  const slash = value.indexOf('/');
  const [host, rest] = [value.slice(0, slash), value.slice(slash + 1)];
  if (slash <= 0 || rest === '')
    return void out.push(invalid(at, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  for (const text of names.isDns1123Subdomain(host)) out.push(invalid(at, host, text));
  for (const text of names.isHttpPath(rest)) out.push(invalid(at, rest, text));
}

export const NEGATIVE = 'must be greater than or equal to 0';

/** Absent counts as 0, as in Go. */
export function checkNonNegative(out: FieldError[], at: FieldPath, value: number | undefined): void {
  if (value !== undefined && value < 0) out.push(invalid(at, value, NEGATIVE));
}

/** `shown`: how the new value is printed, where upstream prints its internal form. */
export function checkImmutable(out: FieldError[], at: FieldPath, now: unknown, before: unknown, shown = now): void {
  if (!semanticEqual(now, before)) out.push(invalid(at, shown ?? null, FIELD_IMMUTABLE));
}

type StringMap = Readonly<Record<string, string>>;

export function checkLabels(out: FieldError[], at: FieldPath, labels: StringMap | undefined): void {
  if (labels !== undefined) for (const one of validateLabels(labels, at)) out.push(one);
}

export function checkAnnotations(out: FieldError[], at: FieldPath, annotations: StringMap | undefined): void {
  if (annotations !== undefined) for (const one of validateAnnotations(annotations, at)) out.push(one);
}

export function checkSelector(
  out: FieldError[],
  at: FieldPath,
  selector: DeepReadonly<LabelSelector> | undefined,
): void {
  if (selector !== undefined) for (const one of validateLabelSelector(selector, at)) out.push(one);
}

/** Go walks maps in random order; we walk them by key. */
export function sortedEntries<V>(map: Readonly<Record<string, V>> | undefined | null): [string, V][] {
  if (map === undefined || map === null) return [];
  const entries = Object.entries(map);
  return entries.length < 2 ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A map as Go prints it: by key. */
export const sortedMap = <V>(map: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries(sortedEntries(map));

/** A selector as Go prints it. */
export function sortedSelector(selector: DeepReadonly<LabelSelector>): DeepReadonly<LabelSelector> {
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(matchLabels === undefined ? {} : { matchLabels: sortedMap(matchLabels) }),
    ...(matchExpressions === undefined ? {} : { matchExpressions }),
  };
}

/** A list that the wire may carry as null (fields that are always written). */
export const list = <T>(value: readonly T[] | undefined | null): readonly T[] => value ?? [];

export const duplicateText = duplicate;

const LEADING_ZERO = /(^|\.)0\d/;

export const isIpv4 = (text: string): boolean => !text.includes(':');
export const isIpv6 = (text: string): boolean => text.includes(':') && parseIP(text) !== undefined;

export const IP_TEXT = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const CIDR_TEXT = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** What old objects may hold. */
export function checkIp(out: FieldError[], at: FieldPath, text: string): void {
  if (parseIP(text) === undefined) out.push(invalid(at, text, IP_TEXT));
}

export function checkCidr(out: FieldError[], at: FieldPath, text: string): void {
  if (parsePrefix(text) === undefined) out.push(invalid(at, text, CIDR_TEXT));
}

/** The address that a CIDR begins with, e.g. 10.0.0.0 of 10.0.0.7/8. */
export const networkOf = (ip: IpAddress, prefix: number): string => formatIP(firstOf(ip, prefix));

/** Warnings about a valid but non-canonical address: validation.GetWarningsForIP. */
export function ipWarnings(at: FieldPath, text: string): string[] {
  const [read, ip] = [parseIP(text), parseLegacyIp(text)];
  if (read === undefined || ip === undefined) return [];
  if (isMappedIp(read) || (text.includes('.') && LEADING_ZERO.test(text)))
    return [
      `${at.toString()}: non-standard IP address "${text}" will be considered invalid in a future Kubernetes release: use "${formatIP(ip)}"`,
    ];
  const canonical = formatIP(ip);
  if (ip.family === 'IPv6' && canonical !== text)
    return [`${at.toString()}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${canonical}")`];
  return [];
}

/** Warnings about the addresses of a load balancer's status, of Services and Ingresses alike. */
export function ingressWarnings(points: readonly { readonly ip?: string }[] | undefined): string[] {
  const at = path('status', 'loadBalancer', 'ingress');
  return list(points).flatMap(({ ip }, i) => (ip ? ipWarnings(at.index(i), ip) : []));
}

/** Warnings about a valid CIDR: validation.GetWarningsForCIDR. */
export function cidrWarnings(at: FieldPath, text: string): string[] {
  const cidr = parsePrefix(text);
  if (cidr === undefined) return [];
  const { ip, prefix } = cidr;
  const address = text.slice(0, text.indexOf('/'));
  const network = networkOf(ip, prefix);
  const out: string[] = [];
  if (network !== formatIP(ip)) {
    const single = `${formatIP(ip)}/${ip.family === 'IPv4' ? 32 : 128}`;
    out.push(
      `${at.toString()}: CIDR value "${text}" is ambiguous in this context (should be "${network}/${prefix}" or "${single}"?)`,
    );
  }
  const isMapped = ip.family === 'IPv6' && /^::ffff:/i.test(address);
  if (isMapped || (isIpv4(address) && LEADING_ZERO.test(address)))
    out.push(
      `${at.toString()}: non-standard CIDR value "${text}" will be considered invalid in a future Kubernetes release: use "${network}/${prefix}"`,
    );
  const canonical = `${formatIP(ip)}/${prefix}`;
  if (out.length === 0 && ip.family === 'IPv6' && canonical !== text)
    out.push(`${at.toString()}: IPv6 CIDR value "${text}" should be in RFC 5952 canonical format ("${canonical}")`);
  return out;
}

import type * as k8s from '@kubernetes/client-node';
import { duplicate, invalid, notSupported, required, tooLong, tooMany } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { goLength } from '../../../machinery/go-text.js';
import type { DeepReadonly, Wire } from '../../../machinery/types.js';
import { isCIdentifier } from '../../../machinery/validation/names.js';
import { checkDeviceSelector } from '../../admissionregistration/validation/cel.js';
import { checkCsiDriverName } from '../../storage/validation/csi.js';
import { heavyExpressions } from '../../validation/heavy-expressions.js';
import { checkDnsLabel, dnsSubdomainErrors, list } from '../../validation/formats.js';

/** Rules of resource.k8s.io that its kinds share (kubernetes pkg/apis/resource/validation). */

const MAX_REQUESTS = 32;
const MAX_CONSTRAINTS = 32;
export const MAX_CONFIGS = 32;
const MAX_SELECTORS = 32;
const MAX_ALTERNATIVES = 8;
const MAX_EXPRESSION = 10 * 1024;
const MAX_PARAMETERS = 10 * 1024;
const MAX_POOL_NAME = 253;
const MAX_ID = 32;

/** A claim may have 8 MB of selectors. */
export const HEAVY_SELECTORS = heavyExpressions(['expression']);

type Claim = DeepReadonly<Wire<k8s.V1DeviceClaim>>;
type Request = NonNullable<Claim['requests']>[number];
type Exactly = NonNullable<Request['exactly']>;
type Alternative = NonNullable<Request['firstAvailable']>[number];
type Selector = NonNullable<Exactly['selectors']>[number];
type Opaque = DeepReadonly<Wire<k8s.V1OpaqueDeviceConfiguration>> | undefined;
type Check<T> = (out: FieldError[], at: FieldPath, item: T) => void;

/** Items one by one; of too many none is looked at. */
export function checkItems<T>(
  out: FieldError[],
  at: FieldPath,
  items: readonly T[],
  max: number,
  check: Check<T>,
): boolean {
  if (items.length > max) {
    out.push(tooMany(at, items.length, max));
    return false;
  }
  items.forEach((item, i) => check(out, at.index(i), item));
  return true;
}

/** The same, where no two may have one key. `shown` prints the key. */
export function checkSet<T>(
  out: FieldError[],
  at: FieldPath,
  items: readonly T[],
  max: number,
  check: Check<T>,
  key: (item: T) => string,
  shown: (item: T) => unknown = key,
): void {
  if (!checkItems(out, at, items, max, check)) return;
  const seen = new Set<string>();
  items.forEach((item, i) => {
    if (seen.has(key(item))) out.push(duplicate(at.index(i), shown(item)));
    seen.add(key(item));
  });
}

const sameName = (name: string): string => name;

export function checkPoolName(out: FieldError[], at: FieldPath, name: string): void {
  if (name === '') return void out.push(required(at));
  if (goLength(name) > MAX_POOL_NAME) out.push(tooLong(at, MAX_POOL_NAME));
  for (const part of name.split('/')) for (const text of dnsSubdomainErrors(part)) out.push(invalid(at, part, text));
}

function checkIdentifier(out: FieldError[], at: FieldPath, id: string): void {
  if (goLength(id) > MAX_ID) out.push(tooLong(at, MAX_ID));
  for (const text of isCIdentifier(id)) out.push(invalid(at, id, text));
}

/** "name" or "domain/name". */
export function checkDeviceQualifiedName(out: FieldError[], at: FieldPath, name: string): void {
  const parts = name.split('/');
  const [first = '', second] = parts;
  if (parts.length === 1) return checkIdentifier(out, at, first);
  if (parts.length !== 2 || second === undefined) return;
  if (first === '') out.push(invalid(at, '', 'the domain must not be empty'));
  else checkCsiDriverName(out, at, first);
  if (second === '') out.push(invalid(at, '', 'the name must not be empty'));
  else checkIdentifier(out, at, second);
}

function checkFullName(out: FieldError[], at: FieldPath, name: string): void {
  checkDeviceQualifiedName(out, at, name);
  if (!name.includes('/'))
    out.push(invalid(at, name, 'a fully qualified name must be a domain and a name separated by a slash'));
}

/** A JSON object of at most `max` bytes. */
export function checkRawObject(out: FieldError[], at: FieldPath, value: unknown, max: number): void {
  if (value === undefined || value === null) return void out.push(required(at));
  if (Buffer.byteLength(JSON.stringify(value)) > max) out.push(tooLong(at, max));
  else if (typeof value !== 'object' || Array.isArray(value))
    out.push(invalid(at, '<value omitted>', 'must be a valid JSON object'));
}

export function checkConfiguration(out: FieldError[], at: FieldPath, opaque: Opaque): void {
  const field = at.child('opaque');
  if (opaque === undefined) return void out.push(required(field));
  checkCsiDriverName(out, field.child('driver'), opaque.driver);
  checkRawObject(out, field.child('parameters'), opaque.parameters, MAX_PARAMETERS);
}

function checkSelector(out: FieldError[], at: FieldPath, { cel }: Selector): void {
  if (cel === undefined) return void out.push(required(at.child('cel')));
  const field = at.child('cel', 'expression');
  if (Buffer.byteLength(cel.expression) > MAX_EXPRESSION) out.push(tooLong(field, MAX_EXPRESSION));
  else checkDeviceSelector(out, field, cel.expression);
}

export const checkSelectors = (out: FieldError[], at: FieldPath, selectors: readonly Selector[] | undefined): void =>
  void checkItems(out, at, list(selectors), MAX_SELECTORS, checkSelector);

const MODES = ['All', 'ExactCount'];

function checkAsked(out: FieldError[], at: FieldPath, asked: Exactly | Alternative): void {
  const { deviceClassName = '', selectors, allocationMode = '', count = 0 } = asked;
  const classAt = at.child('deviceClassName');
  if (deviceClassName === '') out.push(required(classAt));
  else for (const text of dnsSubdomainErrors(deviceClassName)) out.push(invalid(classAt, deviceClassName, text));
  checkSelectors(out, at.child('selectors'), selectors);
  if (!MODES.includes(allocationMode)) out.push(notSupported(at.child('allocationMode'), allocationMode, MODES));
  else if (allocationMode === 'All' && count !== 0)
    out.push(invalid(at.child('count'), count, "must not be specified when allocationMode is 'All'"));
  else if (allocationMode === 'ExactCount' && count <= 0)
    out.push(invalid(at.child('count'), count, 'must be greater than zero'));
}

function checkRequest(out: FieldError[], at: FieldPath, request: Request): void {
  checkDnsLabel(out, at.child('name'), request.name);
  const alternatives = list(request.firstAvailable);
  const { exactly } = request;
  const oneOf = 'exactly one of `exactly` or `firstAvailable` is required';
  if (alternatives.length > 0 && exactly !== undefined)
    out.push(invalid(at, null, `${oneOf}, but multiple fields are set`));
  else if (exactly !== undefined) checkAsked(out, at.child('exactly'), exactly);
  else if (alternatives.length === 0) out.push(required(at, oneOf));
  else
    checkSet(
      out,
      at.child('firstAvailable'),
      alternatives,
      MAX_ALTERNATIVES,
      (errors, field, alternative) => {
        checkDnsLabel(errors, field.child('name'), alternative.name);
        checkAsked(errors, field, alternative);
      },
      ({ name }) => name,
    );
}

/** The names of a claim's requests, and of the alternatives of each. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export const requestNames = (claim: Claim | undefined): RequestNames =>
  new Map(
    list(claim?.requests).map(request => [
      request.name,
      new Set(list(request.firstAvailable).map(alternative => alternative.name)),
    ]),
  );

export function checkRequestReference(out: FieldError[], at: FieldPath, name: string, known: RequestNames): void {
  const text = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const parts = name.split('/');
  if (parts.length > 2) return void out.push(invalid(at, name, text));
  for (const part of parts) checkDnsLabel(out, at, part);
  const [request = '', alternative] = parts;
  const isKnown = alternative === undefined ? known.has(request) : known.get(request)?.has(alternative) === true;
  if (!isKnown) out.push(invalid(at, name, text));
}

/** The requests that a constraint or a configuration is about. */
export const checkReferences = (
  out: FieldError[],
  at: FieldPath,
  names: readonly string[] | undefined,
  known: RequestNames,
): void =>
  checkSet(
    out,
    at.child('requests'),
    list(names),
    MAX_REQUESTS,
    (errors, field, name) => checkRequestReference(errors, field, name, known),
    sameName,
  );

export function checkDeviceClaim(out: FieldError[], at: FieldPath, claim: Claim | undefined): void {
  const known = requestNames(claim);
  checkSet(out, at.child('requests'), list(claim?.requests), MAX_REQUESTS, checkRequest, ({ name }) => name);
  checkItems(out, at.child('constraints'), list(claim?.constraints), MAX_CONSTRAINTS, (errors, field, constraint) => {
    checkReferences(errors, field, constraint.requests, known);
    if (constraint.matchAttribute === undefined) errors.push(required(field.child('matchAttribute')));
    else checkFullName(errors, field.child('matchAttribute'), constraint.matchAttribute);
  });
  checkItems(out, at.child('config'), list(claim?.config), MAX_CONFIGS, (errors, field, config) => {
    checkReferences(errors, field, config.requests, known);
    checkConfiguration(errors, field, config.opaque);
  });
}

type MutableClaim = Wire<k8s.V1DeviceClaim>;

/** Mutates: one device of a class, unless said otherwise. */
export function defaultDeviceClaim(claim: MutableClaim | undefined): void {
  for (const request of claim?.requests ?? [])
    for (const asked of [request.exactly, ...(request.firstAvailable ?? [])]) {
      if (asked === undefined) continue;
      asked.allocationMode ||= 'ExactCount';
      if (asked.allocationMode === 'ExactCount') asked.count ||= 1;
    }
}

/** DRADeviceTaints and DRAConsumableCapacity are off: what they add cannot be set. Mutates. */
export function dropDeviceClaimFeatures(claim: MutableClaim | undefined): void {
  for (const request of claim?.requests ?? [])
    for (const asked of [request.exactly, ...(request.firstAvailable ?? [])]) {
      delete asked?.tolerations;
      delete asked?.capacity;
    }
  for (const constraint of claim?.constraints ?? []) delete constraint.distinctAttribute;
}

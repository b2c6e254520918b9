import { forbidden, notSupported, type FieldError } from '../../machinery/field-error.js';
import { badRequestError, invalidError } from '../../machinery/status.js';
import { parseBoolean, parseInt64 } from './strconv.js';
import type { ListQuery } from './types.js';

/** A ListQuery with its numbers and booleans read; selectors and resourceVersion are still text. */
export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** 0: everything. */
  readonly limit: number;
  readonly continue: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly sendInitialEvents: boolean | undefined;
  readonly allowWatchBookmarks: boolean;
  /** 0: not given. */
  readonly timeoutSeconds: number;
}

function integer(text: string | undefined): number {
  if (text === undefined) return 0;
  try {
    return parseInt64(text);
  } catch (error) {
    throw badRequestError((error as Error).message);
  }
}

/** @throws StatusError 400 for a malformed number */
function parseListOptions(query: ListQuery): ListOptions {
  return {
    labelSelector: query.labelSelector ?? '',
    fieldSelector: query.fieldSelector ?? '',
    timeoutSeconds: integer(query.timeoutSeconds),
    limit: Math.max(0, integer(query.limit)),
    continue: query.continue ?? '',
    resourceVersion: query.resourceVersion ?? '',
    resourceVersionMatch: query.resourceVersionMatch ?? '',
    sendInitialEvents: query.sendInitialEvents === undefined ? undefined : parseBoolean(query.sendInitialEvents),
    allowWatchBookmarks: query.allowWatchBookmarks !== undefined && parseBoolean(query.allowWatchBookmarks),
  };
}

const MATCH = 'resourceVersionMatch';

/** apimachinery pkg/apis/meta/internalversion/validation.ValidateListOptions */
function listErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, resourceVersion } = options;
  const errors: FieldError[] = [];
  if (match !== '') {
    if (resourceVersion === '') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (options.continue !== '') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
    }
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

function watchErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match === '') return errors;
  if (sendInitialEvents === undefined) {
    errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
  }
  if (match !== 'NotOlderThan') errors.push(notSupported(MATCH, match, ['NotOlderThan']));
  if (options.continue !== '') {
    errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidError({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}

/** @throws StatusError 400, 422 */
export function listOptions(query: ListQuery): ListOptions {
  const options = parseListOptions(query);
  refuse(listErrors(options));
  return options;
}

/**
 * A watch that names no revision, or 0, is one with initial events (SetListOptionsDefaults, since WatchList).
 * @throws StatusError 400, 422
 */
export function watchOptions(query: ListQuery): ListOptions {
  const given = parseListOptions(query);
  const fromPresent = given.resourceVersion === '' || given.resourceVersion === '0';
  const unsaid = given.sendInitialEvents === undefined && given.resourceVersionMatch === '';
  const options: ListOptions =
    fromPresent && unsaid ? { ...given, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : given;
  refuse(watchErrors(options));
  return options;
}

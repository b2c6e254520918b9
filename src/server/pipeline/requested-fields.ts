import { parseFieldSelector, type FieldRequirement, type FieldSelector } from '../../machinery/fields.js';
import { parseLabelSelector } from '../../machinery/labels.js';
import { SelectorError } from '../../machinery/label-requirement.js';
import { parseInt64 } from '../registry/strconv.js';
import type { RequestInfo } from './request-info.js';

/** What the field selector of a request means to those who decide whether it may pass. */
export interface RequestedFields {
  /** The one object that a list or watch asks for by metadata.name; '' for none. */
  readonly name: string;
  /** What is asked for narrows what must be allowed; undefined: nothing is said, or it cannot be read. */
  readonly fields: readonly FieldRequirement[] | undefined;
}

const NOTHING: RequestedFields = { name: '', fields: undefined };
const SELECTING = new Set(['list', 'watch', 'deletecollection']);

/** undefined: cannot be read, which is told to those who may ask, by the registry. */
function readSelector(text: string): FieldSelector | undefined {
  try {
    return parseFieldSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

/** Whether upstream's decoder would take the other options: when one fails, it forgets the name, too. */
function otherOptionsAreReadable(query: URLSearchParams): boolean {
  try {
    for (const name of ['limit', 'timeoutSeconds']) {
      const value = query.get(name);
      if (value !== null) parseInt64(value);
    }
    parseLabelSelector(query.get('labelSelector') ?? '');
    return true;
  } catch {
    // Its text is the registry's to tell.
    return false;
  }
}

const couldBeInPath = (name: string): boolean =>
  name !== '.' && name !== '..' && !name.includes('/') && !name.includes('%');

/**
 * Read by the registry's own parser, so that what is allowed is what is done. Not under the deprecated /watch/ prefix,
 * whose selectors narrow nothing upstream.
 */
export function requestedFields(info: RequestInfo, query: URLSearchParams): RequestedFields {
  if (!info.isResource || info.verbInPath || !SELECTING.has(info.verb)) return NOTHING;
  const text = query.get('fieldSelector') ?? '';
  if (text === '') return NOTHING;
  const selector = readSelector(text);
  if (selector === undefined) return NOTHING;
  const fields = selector.requirements;
  if (info.verb === 'deletecollection') return { name: '', fields };
  const name = selector.exactValue('metadata.name') ?? '';
  return { name: couldBeInPath(name) && otherOptionsAreReadable(query) ? name : '', fields };
}

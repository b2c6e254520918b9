import type { Json } from '../../../../machinery/types.js';
import type { NftElement, NftSet } from '../../../kernel/nftables/rule.js';
import { DYNAMIC_SET_SIZE, type LoadedSet } from '../../../kernel/nftables/table.js';
import { isPort } from '../keys.js';
import { learnedElements, writtenElements } from '../listed-elements.js';
import { verdictJson } from './rule-json.js';

const oneOrAll = (values: readonly Json[]): Json => (values.length === 1 ? (values[0] ?? null) : [...values]);

/** Of the parts of keys only ports are numbers. */
const partJson = (part: string): Json => (isPort(part) ? Number(part) : part);

export function keyJson(key: readonly string[]): Json {
  const parts = key.map(partJson);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { concat: parts };
}

export function elementJson({ key, comment, verdict, expiresSeconds }: NftElement): Json {
  const val = keyJson(key);
  const about = {
    ...(comment === undefined ? {} : { comment }),
    ...(expiresSeconds === undefined ? {} : { expires: expiresSeconds }),
  };
  const element = Object.keys(about).length === 0 ? val : { elem: { val, ...about } };
  return verdict === undefined ? element : [element, verdictJson(verdict)];
}

/** What a set or map has behind its handle, with `elem` when it has elements. */
export function setJson(loaded: LoadedSet, now: number): { [key: string]: Json } {
  const { set } = loaded;
  const elements = [
    ...writtenElements(loaded).map(elementJson),
    // Whole seconds that are over, as nft has it.
    ...learnedElements(loaded, now).map(([key, left]) =>
      elementJson({ key: key.split(' . '), expiresSeconds: Math.floor(left / 1000) }),
    ),
  ];
  return { ...setProperties(set), ...(elements.length === 0 ? {} : { elem: elements }) };
}

/** Without its name, types and elements. */
export const setProperties = ({ kind, comment, timeoutSeconds }: NftSet): { [key: string]: Json } => ({
  ...(comment === undefined ? {} : { comment }),
  ...(kind === 'map' ? { map: 'verdict' } : {}),
  ...(timeoutSeconds === undefined ? {} : { size: DYNAMIC_SET_SIZE, flags: ['timeout'], timeout: timeoutSeconds }),
});

export const keyTypesJson = ({ key }: NftSet): Json => oneOrAll(key);

import type { Json } from '../../../../machinery/types.js';
import type { NftElement, NftKeyType, NftSet } from '../../../kernel/nftables/rule.js';
import { DYNAMIC_SET_SIZE, type LoadedSet } from '../../../kernel/nftables/table.js';
import { learnedElements, writtenElements } from '../listed-elements.js';
import { verdictJson } from './rule-json.js';

const oneOrAll = (values: readonly Json[]): Json => (values.length === 1 ? (values[0] ?? null) : [...values]);

function keyJson(key: readonly string[], types: readonly NftKeyType[]): Json {
  const parts = key.map((part, i): Json => (types[i] === 'inet_service' ? Number(part) : part));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { concat: parts };
}

function elementJson({ key, comment, verdict }: NftElement, types: readonly NftKeyType[]): Json {
  const val = keyJson(key, types);
  const element = comment === undefined ? val : { elem: { val, comment } };
  return verdict === undefined ? element : [element, verdictJson(verdict)];
}

/** What a set or map has behind its handle, with `elem` when it has elements. */
export function setJson(loaded: LoadedSet, now: number): { [key: string]: Json } {
  const { set } = loaded;
  const elements = [
    ...writtenElements(loaded).map(element => elementJson(element, set.key)),
    // Whole seconds that are over, as nft has it.
    ...learnedElements(loaded, now).map(([key, left]) => ({
      elem: { val: keyJson(key.split(' . '), set.key), expires: Math.floor(left / 1000) },
    })),
  ];
  return { ...properties(set), ...(elements.length === 0 ? {} : { elem: elements }) };
}

const properties = ({ kind, comment, timeoutSeconds }: NftSet): { [key: string]: Json } => ({
  ...(comment === undefined ? {} : { comment }),
  ...(kind === 'map' ? { map: 'verdict' } : {}),
  ...(timeoutSeconds === undefined ? {} : { size: DYNAMIC_SET_SIZE, flags: ['timeout'], timeout: timeoutSeconds }),
});

export const keyTypesJson = ({ key }: NftSet): Json => oneOrAll(key);

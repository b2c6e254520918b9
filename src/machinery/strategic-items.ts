import { formatGo, goTypeName } from './go-text.js';
import { reasonlessError } from './status.js';
import {
  badArgument,
  DIRECTIVE,
  isObject,
  listOfLists,
  noMergeKey,
  SET_ORDER,
  type Obj,
} from './strategic-directives.js';

export const MAP = 'map[string]interface {}';

export const isMapList = (...lists: readonly (readonly unknown[])[]): boolean => {
  let kind: string | undefined;
  for (const list of lists) {
    for (const item of list) {
      const type = isObject(item) ? MAP : goTypeName(item);
      if (kind === undefined && Array.isArray(item)) throw listOfLists();
      if (kind !== undefined && type !== kind) {
        throw reasonlessError(`list element types are not identical: ${formatGo(lists)}`);
      }
      kind = type;
    }
  }
  if (kind === undefined) throw reasonlessError('no elements in any of the given slices');
  return kind === MAP;
};

export const asItems = (list: readonly unknown[]): Obj[] =>
  list.map((item, i) => {
    if (!isObject(item)) throw reasonlessError(`value for key ${i} is not a map`);
    return item;
  });

export const keyOf = (item: unknown, mergeKey: string): unknown => {
  if (!isObject(item)) throw badArgument('map[string]interface {}', item);
  if (!(mergeKey in item)) throw noMergeKey(item, mergeKey);
  return item[mergeKey];
};

/** The items of the patch must come in the order that $setElementOrder states. */
export function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (order.length === 0 || patch.length === 0) return;
  const items =
    mergeKey === ''
      ? patch
      : patch.filter(item => {
          if (!isObject(item)) throw badArgument('map[string]interface {}', item);
          return item[DIRECTIVE] !== 'delete';
        });
  let at = 0;
  let inOrder = 0;
  while (at < items.length && inOrder < order.length) {
    const item = items[at];
    if (isObject(item) && DIRECTIVE in item) {
      at++;
      continue;
    }
    const same = mergeKey === '' ? item === order[inOrder] : keyOf(item, mergeKey) === keyOf(order[inOrder], mergeKey);
    if (same) at++;
    inOrder++;
  }
  if (at < items.length && inOrder >= order.length) {
    throw reasonlessError(
      `The order in patch list:\n${formatGo(patch)}\n doesn't match ${SET_ORDER} list:\n${formatGo(order)}\n`,
    );
  }
}

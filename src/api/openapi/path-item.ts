import type { Operation } from './operation.js';
import type { Parameter } from './parameters.js';

/** The operations of one path, with the parameters that all of them take set apart, as kube-openapi writes them. */
export interface PathItem {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly { readonly operation: Operation; readonly parameters: readonly Parameter[] }[];
}

const keyOf = (parameter: Parameter): string => `${parameter.name} ${parameter.in}`;
const byKey = (a: Parameter, b: Parameter): number => (keyOf(a) < keyOf(b) ? -1 : 1);

/** Operations by path, in the order in which paths first come up; each is made when it is asked for. */
export function* pathItems(operations: Iterable<Operation>): Iterable<PathItem> {
  const byPath = new Map<string, Operation[]>();
  for (const operation of operations) byPath.set(operation.path, [...(byPath.get(operation.path) ?? []), operation]);
  for (const [path, all] of byPath) {
    const taken = all.map(operation => [...operation.pathParameters, ...operation.query].sort(byKey));
    const counts = new Map<string, number>();
    for (const parameter of taken.flat()) counts.set(keyOf(parameter), (counts.get(keyOf(parameter)) ?? 0) + 1);
    const isCommon = (parameter: Parameter): boolean => counts.get(keyOf(parameter)) === all.length;
    yield {
      path,
      parameters: (taken[0] ?? []).filter(isCommon),
      operations: all.map((operation, i) => ({
        operation,
        parameters: (taken[i] ?? []).filter(parameter => !isCommon(parameter)),
      })),
    };
  }
}

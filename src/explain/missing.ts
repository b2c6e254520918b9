import { nearest } from '../machinery/nearest.js';

/** "there is no Pod wbe in namespace shop (there is web)" */
export function missingText(
  kind: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  known: readonly string[],
): string {
  const near = nearest(name, known);
  const where = namespace === '' ? '' : ` in namespace ${namespace}`;
  return `there is no ${kind} ${name}${where}${near === undefined ? '' : ` (there is ${near})`}`;
}

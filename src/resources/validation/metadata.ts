import { path, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { NameCheck } from '../../machinery/validation/names.js';
import { validateObjectMeta } from '../../machinery/validation/object-meta.js';

const METADATA = path('metadata');

/**
 * The rules of creation for metadata, for kinds whose update is checked by the validation of creation too: upstream
 * lists their problems once more among the causes.
 */
export function checkMetadataAgain(
  out: FieldError[],
  object: DeepReadonly<KubeObject>,
  rules: { readonly namespaced: boolean; readonly name: NameCheck; readonly builtIn?: boolean },
): void {
  out.push(...validateObjectMeta(object.metadata, { builtIn: true, ...rules }, METADATA));
}

import { scaleMetadata } from '../../api/scale-metadata.js';
import { errorList, path } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject, LabelSelector } from '../../machinery/types.js';
import { columnsOf } from '../../api/columns.js';
import type { Column } from '../../api/resource-info.js';
import type { ViewSubresource } from '../../api/strategy.js';
import { checkNonNegative } from '../validation/formats.js';
import { selectorText } from '../cells.js';

interface Scaled {
  readonly spec?: { readonly replicas?: number; readonly selector?: unknown };
  readonly status?: { readonly replicas?: number };
}

/** As the printers of autoscaling/v1 Scale. */
const COLUMNS: readonly Column[] = (
  [
    ['Name', 'string', 'name'],
    ['Desired', 'integer', 'spec.replicas'],
    ['Available', 'integer', 'status.replicas'],
    ['Age', 'string', 'age'],
  ] as const
).map(([name, type, source]) => ({ name, type, format: '', description: '', priority: 0, source }));

const byLabelSelector = (selector: unknown): string =>
  selectorText(selector as DeepReadonly<LabelSelector> | undefined);

/** autoscaling/v1 Scale over spec.replicas. `selectorOf` prints spec.selector. */
export function scaleOf(selectorOf: (selector: unknown) => string = byLabelSelector): ViewSubresource {
  return {
    kind: 'view',
    get(object) {
      const { spec, status } = object as Scaled;
      const selector = selectorOf(spec?.selector);
      return {
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        metadata: scaleMetadata(object.metadata),
        // Zero values are omitted, as in every Scale.
        spec: spec?.replicas ? { replicas: spec.replicas } : {},
        status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
      };
    },
    put(object, view) {
      const replicas = (view as Scaled).spec?.replicas ?? 0;
      object['spec'] = { ...(object['spec'] as object | undefined), replicas };
    },
    validate(view: DeepReadonly<KubeObject>) {
      const out = errorList();
      checkNonNegative(out, path('spec', 'replicas'), (view as Scaled).spec?.replicas);
      return out;
    },
    columns: columnsOf(COLUMNS),
    fieldMap: { 'spec.replicas': 'spec.replicas' },
  };
}

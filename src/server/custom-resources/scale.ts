import { scaleMetadata } from '../../api/scale-metadata.js';
import { invalid, type FieldError } from '../../machinery/field-error.js';
import { badRequestError, internalError, reasonlessError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { printerColumns, type PrinterColumn } from '../../api/structural/columns.js';
import type { CheckedWrite } from '../../api/kind-schema.js';
import type { ViewSubresource } from '../../api/strategy.js';
import type { Version } from './definition.js';
import { nestedInteger, nestedString, setNested, splitPath, type Nested } from './nested.js';

export type ScalePaths = NonNullable<NonNullable<Version['subresources']>['scale']>;

const MAX_INT32 = 2 ** 31 - 1;
/** What a writer is shown where there are no replicas: nobody can have meant it. */
const UNSET = -(2 ** 31);

const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const DESIRED: PrinterColumn = { name: 'Desired', type: 'integer', jsonPath: '.spec.replicas' };
const AVAILABLE: PrinterColumn = { name: 'Available', type: 'integer', jsonPath: '.status.replicas' };
const COLUMNS = printerColumns([DESIRED, AVAILABLE, AGE]);

/** @throws StatusError 500 */
function read<T>(found: Nested<T>): T | undefined {
  if ('problem' in found) throw reasonlessError(found.problem);
  return found.value;
}

/**
 * autoscaling/v1 Scale over the paths that a definition names. `replicasPaths`: of every version of the kind, '' where it
 * has no scale. Source: apiextensions-apiserver pkg/registry/customresource/etcd.go.
 */
export function customScale(
  { specReplicasPath, statusReplicasPath, labelSelectorPath = '' }: ScalePaths,
  replicasPaths: Readonly<Record<string, string>>,
): ViewSubresource {
  const wanted = splitPath(specReplicasPath);
  const actual = splitPath(statusReplicasPath);

  const show = (object: DeepReadonly<KubeObject>, replicas: number): KubeObject => {
    const present = read(nestedInteger(object, actual)) ?? 0;
    const selector = labelSelectorPath === '' ? '' : (read(nestedString(object, splitPath(labelSelectorPath))) ?? '');
    return {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: scaleMetadata(object.metadata),
      spec: replicas === 0 ? {} : { replicas: replicas | 0 },
      status: { replicas: present | 0, ...(selector === '' ? {} : { selector }) },
    };
  };

  return {
    kind: 'view',
    get: object => show(object, read(nestedInteger(object, wanted)) ?? 0),
    checkRead(object) {
      if (read(nestedInteger(object, wanted)) === undefined)
        throw internalError(`the spec replicas field "${specReplicasPath}" does not exist`);
    },
    forWriting: object => show(object, read(nestedInteger(object, wanted)) ?? UNSET),
    put(object, view) {
      const { replicas = 0 } = (view['spec'] ?? {}) as { readonly replicas?: number };
      if (replicas === UNSET) throw badRequestError(`the spec replicas field "${specReplicasPath}" cannot be empty`);
      setNested(object, wanted, replicas);
    },
    columns: COLUMNS,
    fieldMap: { 'spec.replicas': wanted.join('.') },
    replicasPaths,
  };
}

function checkReplicas(object: DeepReadonly<KubeObject>, path: string): FieldError[] {
  const found = nestedInteger(object, splitPath(path));
  // The path is one name to upstream, whatever dots it has.
  if ('problem' in found) return [invalid(path, 0, found.problem)];
  const { value = 0 } = found;
  if (value < 0) return [invalid(path, value, 'should be a non-negative integer')];
  if (value > MAX_INT32) return [invalid(path, value, `should be less than or equal to ${MAX_INT32}`)];
  return [];
}

function checkSelector(object: DeepReadonly<KubeObject>, { labelSelectorPath = '' }: ScalePaths): FieldError[] {
  if (labelSelectorPath === '') return [];
  const found = nestedString(object, splitPath(labelSelectorPath));
  return 'problem' in found ? [invalid(labelSelectorPath, '', found.problem)] : [];
}

/** What the scale subresource asks of the object; of a write to its status, what it asks of that. */
export const checkScale = ({ object, partly, subresource }: CheckedWrite, paths: ScalePaths): FieldError[] => [
  ...(partly && subresource === 'status' ? [] : checkReplicas(object, paths.specReplicasPath)),
  ...checkReplicas(object, paths.statusReplicasPath),
  ...checkSelector(object, paths),
];

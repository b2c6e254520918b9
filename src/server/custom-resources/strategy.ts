import { cloneJson, jsonEqual } from '../../machinery/json-equal.js';
import { forbiddenError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { PartSubresource, Strategy, Subresource } from '../../api/strategy.js';
import type { Version } from './definition.js';
import { finalizerWarnings } from './finalizer-warnings.js';
import { customScale } from './scale.js';
import { fieldsOf, selectableFields } from './selectable-fields.js';

export interface CustomStrategyOptions {
  readonly info: ResourceInfo;
  /** Of every version of the kind, '' where it has no scale. */
  readonly replicasPaths: Readonly<Record<string, string>>;
}

/**
 * What every custom resource does beyond its schema.
 * Source: apiextensions-apiserver pkg/registry/customresource/{strategy,status_strategy}.go.
 */
export function customResourceStrategy(version: Version, options: CustomStrategyOptions): Strategy {
  const scale = version.subresources?.scale;
  const hasStatus = version.subresources?.status !== undefined;
  const fields = fieldsOf(selectableFields(version));
  const subresources: Record<string, Subresource> = {
    ...(hasStatus ? { status: STATUS_PART } : {}),
    ...(scale === undefined ? {} : { scale: customScale(scale, options.replicasPaths) }),
  };
  return {
    generationChanged: (object, old) => !jsonEqual(withoutMetadata(object), withoutMetadata(old)),
    warnings: (_ctx, object, old) => finalizerWarnings(object, old),
    ...(fields === undefined ? {} : { fields }),
    subresources,
  };
}

/** Of a kind whose definition is going. */
export const refusingCreation = ({ group, plural }: ResourceInfo): Pick<Strategy, 'prepareForCreate'> => ({
  prepareForCreate(_ctx, { metadata: { name = '' } }) {
    const why = 'create not allowed while custom resource definition is terminating';
    throw forbiddenError({ group, resource: plural }, name, why);
  },
});

const withoutMetadata = ({ metadata: _metadata, ...rest }: DeepReadonly<KubeObject>): unknown => rest;

/** Whatever else a writer of the status says is not heard; of metadata only who owns what. */
const STATUS_PART: PartSubresource = {
  kind: 'part',
  prepareForUpdate(_ctx, object, old) {
    const { status } = object;
    const { managedFields } = object.metadata;
    for (const key of Object.keys(object)) delete (object as Record<string, unknown>)[key];
    Object.assign(object, cloneJson(old));
    if (managedFields === undefined) delete object.metadata.managedFields;
    else object.metadata.managedFields = managedFields;
    if (status === undefined) delete object['status'];
    else object['status'] = status;
  },
};

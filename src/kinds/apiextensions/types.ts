import type { ValidationRule } from '../../api/structural/json-schema-props.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';

/** apiextensions.k8s.io/v1 as it is sent: anything that decodes, whether a definition may say it or not. */
export interface Schema {
  readonly id?: string;
  readonly $schema?: string;
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly default?: unknown;
  readonly maximum?: number;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly multipleOf?: number;
  readonly enum?: readonly unknown[];
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  /** null: something that is neither a schema nor a list of them. */
  readonly items?: Schema | readonly Schema[] | null;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly not?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly dependencies?: Readonly<Record<string, Schema | readonly string[] | null>>;
  readonly additionalItems?: Schema | boolean;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly externalDocs?: { readonly description?: string; readonly url?: string };
  readonly example?: unknown;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

export type Rule = ValidationRule;

export interface Names {
  plural?: string;
  singular?: string;
  shortNames?: string[];
  kind?: string;
  listKind?: string;
  categories?: string[];
}

export interface Column {
  readonly name?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath?: string;
}

export interface SelectableField {
  readonly jsonPath?: string;
}

export interface Scale {
  readonly specReplicasPath?: string;
  readonly statusReplicasPath?: string;
  readonly labelSelectorPath?: string;
}

export interface Subresources {
  readonly status?: object;
  readonly scale?: Scale;
}

export interface SchemaHolder {
  readonly openAPIV3Schema?: Schema;
}

/** What a version says of its own, or all versions alike. */
export interface VersionDetails {
  readonly schema?: SchemaHolder;
  readonly subresources?: Subresources;
  readonly additionalPrinterColumns?: readonly Column[];
  readonly selectableFields?: readonly SelectableField[];
}

export interface Version extends VersionDetails {
  readonly name?: string;
  readonly served?: boolean;
  readonly storage?: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
}

export interface ConversionService {
  namespace?: string;
  name?: string;
  path?: string;
  port?: number;
}

export interface Conversion {
  strategy?: string;
  webhook?: {
    clientConfig?: { url?: string; service?: ConversionService; caBundle?: string };
    conversionReviewVersions?: string[] | null;
  };
}

export interface DefinitionSpec {
  group?: string;
  names?: Names;
  scope?: string;
  versions?: Version[];
  conversion?: Conversion;
  preserveUnknownFields?: boolean;
}

export interface Condition {
  readonly type?: string;
  readonly status?: string;
}

export interface DefinitionStatus {
  conditions?: Condition[] | null;
  acceptedNames?: Names;
  storedVersions?: string[] | null;
  observedGeneration?: number;
}

export interface Definition extends KubeObject {
  spec?: DefinitionSpec;
  status?: DefinitionStatus;
}

export type ReadonlyDefinition = DeepReadonly<Definition>;
export type ReadonlyVersion = DeepReadonly<Version>;

export const hasCondition = ({ status }: ReadonlyDefinition, type: string): boolean =>
  (status?.conditions ?? []).some(condition => condition.type === type && condition.status === 'True');

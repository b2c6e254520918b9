import { jsonEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly } from '../../machinery/types.js';
import type { Conversion, Definition, DefinitionSpec, Names, Version, VersionDetails } from './types.js';

/**
 * A definition as upstream's internal type has it, which is what it validates and names in its errors: what all versions
 * say alike stands at the top and in no version, so that a definition of one version has everything there.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/v1/conversion.go.
 */
export interface InternalSpec {
  readonly group: string;
  readonly names: DeepReadonly<Names>;
  readonly scope: string;
  /** The name of the first one. */
  readonly version: string;
  /** undefined: there is no such list. */
  readonly versions: readonly DeepReadonly<Version>[] | undefined;
  readonly shared: VersionDetails;
  readonly conversion: DeepReadonly<Conversion> | undefined;
  readonly preserveUnknownFields: boolean;
}

const DETAILS = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;

export function internalSpec({ spec = {} }: DeepReadonly<Definition>): InternalSpec {
  const { group = '', names = {}, scope = '', versions, conversion, preserveUnknownFields = false } = spec;
  const given = (versions ?? []) as readonly Version[];
  const [first] = given;
  const alike = DETAILS.filter(detail => given.every(version => jsonEqual(version[detail], first?.[detail])));
  const shared: VersionDetails = Object.fromEntries(
    alike.filter(detail => first?.[detail] !== undefined).map(detail => [detail, first?.[detail]]),
  );
  return {
    group,
    names,
    scope,
    version: first?.name ?? '',
    versions: (versions ?? undefined) === undefined ? undefined : given.map(rest),
    shared,
    conversion,
    preserveUnknownFields,
  };

  function rest(version: Version): Version {
    return Object.fromEntries(
      Object.entries(version).filter(([name]) => !alike.includes(name as keyof VersionDetails)),
    );
  }
}

/** The schema that a version has, wherever it stands. */
export function schemaOf(spec: DeepReadonly<DefinitionSpec>, name: string): VersionDetails['schema'] {
  const version = (spec.versions ?? []).find(one => one.name === name);
  return version?.schema;
}

import {
  declare,
  maxCardinality,
  sizeAt,
  type Declared,
  type JsonSchema,
} from '../../../machinery/cel/adapt/declared.js';
import { escapeName } from '../../../machinery/cel/adapt/names.js';
import { providerOf } from '../../../machinery/cel/adapt/schema.js';
import type { Environment } from '../../../machinery/cel/environment.js';
import { createEnvironment, extendEnvironment } from '../../../machinery/cel/environment.js';
import { KUBERNETES } from '../../../machinery/cel/libraries/kubernetes.js';
import type { Range } from '../../../machinery/cel/declarations.js';
import type { TypeProvider } from '../../../machinery/cel/provider.js';
import { optionalOf } from '../../../machinery/cel/types.js';
import type { JsonSchemaProps } from '../json-schema-props.js';

/** What rules may call, wherever they stand. */
const BASE = createEnvironment({ libraries: KUBERNETES });

/** The type that rules know the values of a place by. */
export class RuleType {
  private constructor(
    private readonly declared: Declared,
    private readonly provider: TypeProvider,
  ) {}

  /** `isObject`: the schema is that of an object of the API. undefined: rules know nothing of such values. */
  static of(schema: JsonSchemaProps, isObject: boolean): RuleType | undefined {
    const declared = declare(schema as JsonSchema, 'selfType', isObject);
    return declared === undefined ? undefined : new RuleType(declared, providerOf(declared));
  }

  /** undefined: its name or its type is none for CEL. */
  property(name: string): RuleType | undefined {
    const escaped = escapeName(name);
    return this.part(escaped === undefined ? undefined : this.declared.fields?.get(escaped));
  }
  /** Of what is in a list, or in a map. */
  items(): RuleType | undefined {
    return this.part(this.declared.items);
  }
  private part(declared: Declared | undefined): RuleType | undefined {
    return declared === undefined ? undefined : new RuleType(declared, this.provider);
  }

  get maxCardinality(): number {
    return maxCardinality(this.declared);
  }
  sizeOf(path: readonly string[]): Range | undefined {
    return path.length === 0 ? undefined : sizeAt(this.declared, path);
  }
  /** `isOptional`: there may be no old value, and the rule is asked all the same. */
  environment(isOptional: boolean): Environment {
    const { type } = this.declared;
    return extendEnvironment(BASE, {
      provider: this.provider,
      variables: new Map([
        ['self', type],
        ['oldSelf', isOptional ? optionalOf(type) : type],
      ]),
    });
  }
}

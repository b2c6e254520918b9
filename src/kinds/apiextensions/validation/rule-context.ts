import type { FieldPath } from '../../../machinery/field-error.js';
import { RuleType } from '../../../api/structural/cel/rule-type.js';
import type { JsonSchemaProps } from '../../../api/structural/json-schema-props.js';
import type { Schema } from '../types.js';

/** Upstream counts in uint64 and stays at the largest. */
const MAX_COST = 2 ** 64;
export const times = (cost: number, count: number): number => Math.min(cost * count, MAX_COST);

interface RuleCost {
  readonly at: FieldPath;
  readonly cost: number;
}

/** What all rules of a schema cost together. */
export class TotalCost {
  total = 0;
  /** The four that cost most, of those that are worth mentioning. */
  mostExpensive: RuleCost[] = [];

  constructor(private readonly limit: number) {}

  observe(at: FieldPath, cost: number): void {
    this.total = Math.min(this.total + cost, MAX_COST);
    if (cost < this.limit / 100) return;
    this.mostExpensive = [...this.mostExpensive, { at, cost }].sort((a, b) => b.cost - a.cost).slice(0, 4);
  }
}

/**
 * What is known of a place that may have rules: its type, and how many values there may be of it.
 * Source: CELSchemaContext of apiextensions-apiserver pkg/apis/apiextensions/validation/cel_validation.go.
 */
export class RuleContext {
  private found: RuleType | undefined;
  private isFound = false;

  private constructor(
    readonly schema: Schema,
    readonly total: TotalCost,
    /** undefined: nothing says how many. */
    readonly maxCardinality: number | undefined,
    private readonly parent: { readonly context: RuleContext; readonly step: Step } | undefined,
    private readonly isWithin: boolean,
  ) {}

  static root(schema: Schema, total: TotalCost): RuleContext {
    return new RuleContext(schema, total, 1, undefined, hasRules(schema));
  }

  property(name: string, schema: Schema): RuleContext {
    return this.child(schema, type => type.property(name));
  }
  items(schema: Schema): RuleContext {
    return this.child(schema, type => type.items());
  }
  additional(schema: Schema): RuleContext {
    return this.child(schema, type => type.items());
  }

  /** That of the place around is asked first: a type is made once for all within it. */
  get type(): RuleType | undefined {
    if (!this.isWithin) return undefined;
    if (!this.isFound) this.found = this.findType();
    this.isFound = true;
    return this.found;
  }

  private findType(): RuleType | undefined {
    const around = this.parent?.context.type;
    const known = around === undefined ? undefined : this.parent?.step(around);
    const isObject = this.parent === undefined || this.schema['x-kubernetes-embedded-resource'] === true;
    return known ?? RuleType.of(this.schema as JsonSchemaProps, isObject);
  }

  private child(schema: Schema, step: Step): RuleContext {
    const most = maxElements(this.schema);
    const cardinality =
      this.maxCardinality === undefined || most === undefined ? undefined : times(this.maxCardinality, most);
    const parent = { context: this, step };
    const isWithin = this.isWithin || hasRules(schema);
    return new RuleContext(schema, this.total, cardinality, parent, isWithin);
  }
}

type Step = (type: RuleType) => RuleType | undefined;

const hasRules = (schema: Schema): boolean => (schema['x-kubernetes-validations'] ?? []).length > 0;

/** How many values there are of what is within, for each value; undefined: any number. */
function maxElements(schema: Schema): number | undefined {
  const bounded = (most: number | undefined): number | undefined =>
    most === undefined ? undefined : Math.max(most, 0);
  if (schema.type === 'array') return bounded(schema.maxItems);
  if (schema.type === 'object' && schema.additionalProperties !== undefined) return bounded(schema.maxProperties);
  return 1;
}

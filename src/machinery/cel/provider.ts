import type { Type } from './types.js';
import type { Value } from './values.js';

/** Declares structs. Names of fields come from expressions: an implementation looks them up as a client's text. */
export interface TypeProvider {
  /** The type of a field; undefined when there is none, or no such struct. */
  field(struct: string, field: string): Type | undefined;
  has(struct: string): boolean;
  /** The type that this name is an identifier of, as in `type(x) == net.IP`. */
  identifier?(name: string): Type | undefined;
  /** Of an expression `Name{field: value}`; absent: no struct can be made. */
  create?(struct: string, fields: ReadonlyMap<string, Value>): Value;
}

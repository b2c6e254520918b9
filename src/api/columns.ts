import { humanAge } from '../machinery/duration.js';
import type { DeepReadonly, KubeObject } from '../machinery/types.js';
import type { Column } from './resource-info.js';

export type ColumnDefinition = Pick<Column, 'name' | 'type' | 'format' | 'description' | 'priority'>;

/** The table of a kind: what its columns are called, and the row of an object at a moment. */
export interface Columns {
  readonly definitions: readonly ColumnDefinition[];
  row(object: DeepReadonly<KubeObject>, nowMs: number): Row;
}

/** Of the column that nearly every table begins with, from meta/v1 ObjectMeta. */
export const NAME_COLUMN: ColumnDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
};

export type Cell = (object: DeepReadonly<KubeObject>, nowMs: number) => unknown;

const definitionOf = ({ name, type, format, description, priority }: ColumnDefinition): ColumnDefinition => ({
  name,
  type,
  format,
  description,
  priority,
});

/** Each cell on its own. */
export function columnsOfCells(
  columns: readonly { readonly column: ColumnDefinition; readonly cell: Cell }[],
): Columns {
  return {
    definitions: columns.map(({ column }) => definitionOf(column)),
    row: (object, nowMs) => ({ cells: columns.map(({ cell }) => cell(object, nowMs)) }),
  };
}

/** From paths into the object; a kind whose rows are computed (`cells`) has columns without one. */
export function columnsOf(
  columns: readonly Column[],
  cells?: (object: DeepReadonly<KubeObject>, nowMs: number) => Row,
): Columns {
  const sourced = columnsOfCells(columns.map(column => ({ column, cell: sourcedCell(column) })));
  if (cells === undefined || columns.every(({ source }) => source !== undefined)) return sourced;
  return { definitions: sourced.definitions, row: cells };
}

const ZERO: Readonly<Record<Column['type'], unknown>> = {
  string: '',
  integer: 0,
  number: 0,
  boolean: false,
  date: null,
};

function sourcedCell({ source = '', type }: Column): Cell {
  if (source === 'name') return object => object.metadata.name ?? '';
  if (source === 'age') return (object, nowMs) => humanAge(object.metadata.creationTimestamp, nowMs);
  const path = source.split('.');
  return object => {
    const value = valueAt(object, path);
    if (value === undefined || value === null) return ZERO[type];
    if (type === 'integer' && Array.isArray(value)) return value.length;
    if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
    return value;
  };
}

function valueAt(object: DeepReadonly<KubeObject>, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

export interface Row {
  readonly cells: readonly unknown[];
  readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
}

import { humanAge } from '../../machinery/duration.js';
import { canonicalTime, GoTimeError } from '../../machinery/go-time.js';
import { formatGo } from '../../machinery/go-text.js';
import { parseJsonPath } from '../../machinery/json-path.js';
import { columnsOfCells, NAME_COLUMN, type Cell, type ColumnDefinition, type Columns } from '../columns.js';

/** An entry of additionalPrinterColumns. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
}

/** What a definition that names no columns has. */
const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/**
 * The name, then what the definition says.
 * Source: apiextensions-apiserver pkg/registry/customresource/tableconvertor. @throws JsonPathError
 */
export function printerColumns(columns: readonly PrinterColumn[] = []): Columns {
  const given = columns.length > 0 ? columns : [AGE];
  return columnsOfCells([
    { column: NAME_COLUMN, cell: object => object.metadata.name ?? '' },
    ...given.map(column => ({ column: definitionOf(column), cell: cellOf(column) })),
  ]);
}

const definitionOf = ({ name, type, format, description, priority, jsonPath }: PrinterColumn): ColumnDefinition => ({
  name,
  type: type as ColumnDefinition['type'],
  format: format ?? '',
  description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
  priority: priority ?? 0,
});

/** Of several values the first one is shown. */
function cellOf({ type, jsonPath }: PrinterColumn): Cell {
  const path = parseJsonPath(jsonPath);
  return (object, nowMs) => {
    const value = path(object)?.[0];
    if (value === undefined) return null;
    if (type === 'string') return typeof value === 'object' && value !== null ? JSON.stringify(value) : formatGo(value);
    return cellOfType(value, type, nowMs);
  };
}

function cellOfType(value: unknown, type: string, nowMs: number): unknown {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? age(value, nowMs) : null;
    default:
      return null;
  }
}

function age(text: string, nowMs: number): string {
  try {
    return humanAge(canonicalTime(text, 'seconds'), nowMs);
  } catch (error) {
    if (error instanceof GoTimeError) return '<invalid>';
    throw error;
  }
}

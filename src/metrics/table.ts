import type { KubeObject } from '../machinery/types.js';

export interface Row {
  readonly name: string;
  readonly cpu: string;
  readonly memory: string;
  readonly window: string;
}

const NAME = 'Name must be unique within a namespace.';
const column = (name: string, format: string, description = ''): object => ({
  name,
  type: 'string',
  format,
  description,
  priority: 0,
});

/** Whether the first form that Accept names is a Table. */
export function wantsTable(accept: string): boolean {
  const [first = ''] = accept.split(',');
  const params = first.split(';').map(part => part.trim());
  return params.includes('as=Table') && params.includes('g=meta.k8s.io');
}

/** As metrics-server's table convertor has it. */
export const table = (metrics: readonly { readonly object: KubeObject; readonly row: Row }[]): object => ({
  kind: 'Table',
  apiVersion: 'meta.k8s.io/v1',
  metadata: {},
  columnDefinitions: [
    column('Name', 'name', NAME),
    column('cpu', 'quantity'),
    column('memory', 'quantity'),
    column('Window', 'duration'),
  ],
  rows: metrics.map(({ object, row }) => ({
    cells: [row.name, row.cpu, row.memory, row.window],
    object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
  })),
});

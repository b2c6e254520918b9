import type { CatalogEntry } from '../../src/api/catalog.js';
import { columnsOf } from '../../src/api/columns.js';
import type { Api } from '../../src/api/load.js';
import type { ResourceInfo } from '../../src/api/resource-info.js';
import type { JsonSchemaProps } from '../../src/api/structural/json-schema-props.js';
import { structural } from '../../src/api/structural/structural.js';

const COLUMNS = columnsOf([
  { name: 'Name', type: 'string', format: 'name', description: '', priority: 0, source: 'name' },
  { name: 'Age', type: 'date', format: '', description: '', priority: 0, source: 'age' },
]);

/** widgets.example.org/v1, whose objects have a schema that no file of api-schemas/ knows. */
export function customKind(api: Api, props: JsonSchemaProps, more: Partial<ResourceInfo> = {}): CatalogEntry {
  const objectMeta = api.type('meta.v1.ObjectMeta');
  if (objectMeta === undefined) throw new Error('api-schemas/ has no ObjectMeta');
  const info: ResourceInfo = {
    group: 'example.org',
    version: 'v1',
    kind: 'Widget',
    listKind: 'WidgetList',
    plural: 'widgets',
    singular: 'widget',
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
    subresources: [],
    storage: { group: 'example.org', version: 'v1', resource: 'widgets' },
    stored: true,
    selectableFields: new Map(),
    customFieldLabels: true,
    generation: 'content',
    deleteReturns: 'status',
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    defaultPropagation: 'Background',
    resetFields: {},
    nameFormat: 'subdomain',
    metadataRules: { create: 'machinery', update: 'machinery' },
    ...more,
  };
  return { info, schema: structural(() => props, { ...info, columns: COLUMNS, objectMeta }), strategy: {} };
}

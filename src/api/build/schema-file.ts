/** JSON Schema of a file in api-schemas/: a misspelt key must not pass as an unusual value. */
const strings = { type: 'array', items: { type: 'string' } };
const verbs = {
  type: 'array',
  items: { enum: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] },
};
const texts = { type: 'object', additionalProperties: { type: 'string' } };

const column = {
  type: 'object',
  required: ['name', 'type', 'description'],
  additionalProperties: false,
  properties: {
    name: { type: 'string' },
    type: { enum: ['string', 'integer', 'number', 'boolean', 'date'] },
    format: { type: 'string' },
    priority: { type: 'integer' },
    source: { type: 'string' },
    description: { type: 'string' },
  },
};

const subresource = {
  type: 'object',
  required: ['name', 'verbs'],
  additionalProperties: false,
  properties: {
    name: { type: 'string' },
    verbs,
    kind: { type: 'string' },
    group: { type: 'string' },
    version: { type: 'string' },
  },
};

const resource = {
  type: 'object',
  required: ['kind', 'plural'],
  additionalProperties: false,
  properties: {
    kind: { type: 'string' },
    listKind: { type: 'string' },
    plural: { type: 'string' },
    singular: { type: 'string' },
    shortNames: strings,
    categories: strings,
    namespaced: { type: 'boolean' },
    verbs,
    subresources: { type: 'array', items: subresource },
    storage: {
      type: 'object',
      required: ['group', 'version'],
      additionalProperties: false,
      properties: { group: { type: 'string' }, version: { type: 'string' } },
    },
    stored: { type: 'boolean' },
    columns: { type: 'array', items: { anyOf: [{ type: 'string' }, column] } },
    selectableFields: texts,
    customFieldLabels: { type: 'boolean' },
    generation: { enum: ['none', 'spec', 'content'] },
    deleteReturns: { enum: ['object', 'status'] },
    allowCreateOnUpdate: { type: 'boolean' },
    allowUnconditionalUpdate: { type: 'boolean' },
    defaultPropagation: { enum: ['Background', 'Orphan'] },
    resetFields: { type: 'object', additionalProperties: strings },
    unownedFields: { type: 'object', additionalProperties: strings },
    nameFormat: { enum: ['subdomain', 'label', 'label1035', 'path', 'none'] },
    metadataRules: { type: 'object', additionalProperties: { enum: ['core', 'machinery', 'none'] } },
    encodedAs: { type: 'string' },
    plainFields: strings,
    deprecationWarning: { type: 'string' },
  },
};

const field = {
  type: 'object',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', pattern: '^\\*?(\\[\\]|map\\[string\\])*[A-Za-z][A-Za-z0-9.]*$' },
    pb: {
      anyOf: [
        { type: 'integer', minimum: 1 },
        { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 2 },
      ],
    },
    go: { type: 'string' },
    json: { enum: ['always', 'omitzero'] },
    required: { type: 'boolean' },
    disabled: { type: 'boolean' },
    default: {},
    enum: strings,
    itemsEnum: strings,
    listType: { enum: ['atomic', 'set', 'map'] },
    listMapKeys: strings,
    mapType: { enum: ['atomic', 'granular'] },
    patchMergeKey: { type: 'string' },
    patchStrategy: { enum: ['merge', 'replace', 'retainKeys', 'merge,retainKeys'] },
    description: { type: 'string' },
  },
};

export const SCHEMA_FILE = {
  type: 'object',
  required: ['group', 'version', 'package', 'resources', 'types'],
  additionalProperties: false,
  properties: {
    group: { type: 'string' },
    version: { type: 'string' },
    package: { type: 'string' },
    resources: { type: 'array', items: resource },
    types: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['fields'],
        additionalProperties: false,
        properties: {
          kind: { type: 'boolean' },
          alsoReads: strings,
          hidden: { type: 'boolean' },
          embeds: strings,
          mapType: { enum: ['atomic', 'granular'] },
          description: { type: 'string' },
          unions: { type: 'array' },
          fields: { type: 'object', additionalProperties: field },
        },
      },
    },
  },
};

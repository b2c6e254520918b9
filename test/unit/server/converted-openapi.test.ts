import t from 'tap';
import { atOnce } from '../../../src/machinery/steps.js';
import { convertDocument } from '../../../src/server/aggregation/convert-document.js';
import { convertSchema } from '../../../src/server/aggregation/convert-schema.js';

const V2 = { $ref: '#/definitions/a.Thing' };
const V3 = { $ref: '#/components/schemas/a.Thing' };

t.test('schemas', async t => {
  const rows: { name: string; input: unknown; expect: unknown }[] = [
    { name: 'a reference', input: V2, expect: V3 },
    {
      name: 'a reference with siblings',
      input: { ...V2, description: 'x' },
      expect: { description: 'x', allOf: [V3] },
    },
    { name: 'by name', input: { properties: { a: V2, $ref: V2 } }, expect: { properties: { a: V3, $ref: V3 } } },
    { name: 'items', input: { items: V2 }, expect: { items: V3 } },
    { name: 'a list of items', input: { items: [V2, {}] }, expect: { items: [V3, {}] } },
    { name: 'anything', input: { additionalProperties: true }, expect: { additionalProperties: true } },
    { name: 'additional', input: { additionalProperties: V2 }, expect: { additionalProperties: V3 } },
    { name: 'within allOf', input: { allOf: [V2] }, expect: { allOf: [V3] } },
    {
      name: 'not a schema',
      input: { default: V2, enum: [V2], 'x-y': V2 },
      expect: { default: V2, enum: [V2], 'x-y': V2 },
    },
    { name: 'of another document', input: { $ref: 'other.json', type: 'object' }, expect: { type: 'object' } },
    { name: 'a reference that is none', input: { $ref: 7 }, expect: {} },
  ];
  for (const { name, input, expect } of rows) t.strictSame(convertSchema(input), expect, name);
  const odd = convertSchema(JSON.parse('{"properties":{"__proto__":{"$ref":"#/definitions/a.Thing"}}}'));
  t.equal(JSON.stringify(odd), '{"properties":{"__proto__":{"$ref":"#/components/schemas/a.Thing"}}}');
});

t.test('documents', async t => {
  const rows: { name: string; input: unknown; expect: unknown }[] = [
    {
      name: 'little',
      input: { swagger: '2.0', info: { title: 'Kubernetes', version: 'unversioned' } },
      expect: { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'unversioned' }, components: {} },
    },
    { name: 'no document', input: 7, expect: { openapi: '3.0.0', info: null, components: {} } },
    {
      name: 'an operation',
      input: {
        info: {},
        paths: {
          'no path': {},
          '/a': {
            trace: {},
            post: {
              operationId: 'createA',
              consumes: ['a/b', 7],
              produces: ['c/d'],
              schemes: ['https'],
              parameters: [
                { name: 'body', in: 'body', required: true, schema: V2 },
                { name: 'n', in: 'query', type: 'integer', format: 'int32', uniqueItems: true },
                { $ref: '#/parameters/shared' },
              ],
              responses: { 200: { description: 'OK', schema: V2, headers: {} }, 401: { description: 'no' }, 'x-r': 1 },
              'x-kubernetes-action': 'post',
            },
            parameters: [{ name: 'p', in: 'path', required: true, type: 'string' }],
          },
        },
      },
      expect: {
        openapi: '3.0.0',
        info: {},
        paths: {
          '/a': {
            post: {
              operationId: 'createA',
              'x-kubernetes-action': 'post',
              parameters: [
                { name: 'n', in: 'query', schema: { type: 'integer', format: 'int32', uniqueItems: true } },
                { $ref: '#/components/parameters/shared', schema: { type: '' } },
              ],
              requestBody: { content: { 'a/b': { schema: V3 } } },
              responses: {
                200: { description: 'OK', content: { 'c/d': { schema: V3 } } },
                401: { description: 'no' },
                'x-r': 1,
              },
            },
            parameters: [{ name: 'p', in: 'path', required: true, schema: { type: 'string' } }],
          },
        },
        components: {},
      },
    },
    {
      name: 'what is kept once',
      input: {
        info: {},
        produces: ['c/d'],
        externalDocs: { url: 'u', more: 1 },
        definitions: { A: { type: 'object', properties: { b: V2 } } },
        responses: { R: { description: 'r', schema: V2 } },
        securityDefinitions: {
          Token: { type: 'apiKey', in: 'header', name: 'authorization' },
          OAuth: { type: 'oauth2', flow: 'implicit', authorizationUrl: 'u', scopes: { s: 't' } },
        },
      },
      expect: {
        openapi: '3.0.0',
        info: {},
        components: {
          schemas: { A: { type: 'object', properties: { b: V3 } } },
          securitySchemes: {
            Token: { type: 'apiKey', in: 'header', name: 'authorization' },
            OAuth: { type: 'oauth2', flows: { implicit: { authorizationUrl: 'u', scopes: { s: 't' } } } },
          },
          responses: { R: { description: 'r', content: { 'c/d': { schema: V3 } } } },
        },
        externalDocs: { url: 'u' },
      },
    },
    {
      name: 'what is in no form',
      input: {
        info: [],
        paths: { '/a': { get: 7, post: { parameters: 'x', responses: [] } }, '/b': null },
        definitions: [],
      },
      expect: {
        openapi: '3.0.0',
        info: null,
        paths: { '/a': { get: { responses: {} }, post: { responses: {} } }, '/b': {} },
        components: {},
      },
    },
  ];
  for (const { name, input, expect } of rows) t.strictSame(atOnce(convertDocument(input)), expect, name);
});

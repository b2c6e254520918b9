import t from 'tap';
import { declareSchema } from '../../../src/machinery/cel/adapt/schema.js';
import { checkPolicy } from '../../../src/controllers/validatingadmissionpolicystatus/check.js';
import {
  kindsOf,
  resourcesOf,
  type PolicySpec,
} from '../../../src/controllers/validatingadmissionpolicystatus/kinds.js';
import { schemaIn, type OpenApiDocument } from '../../../src/controllers/validatingadmissionpolicystatus/schemas.js';
import type { Client } from '../../../src/client/types.js';
import { atOnce } from '../../../src/machinery/steps.js';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };
const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });

const DOCUMENT = {
  components: {
    schemas: {
      Deployment: {
        type: 'object',
        properties: { spec: { allOf: [ref('Spec')], default: {} } },
        'x-kubernetes-group-version-kind': [DEPLOYMENT],
      },
      Spec: {
        type: 'object',
        properties: {
          replicas: { type: 'integer' },
          maxSurge: ref('IntOrString'),
          self: ref('Spec'),
          names: { type: 'array', items: { type: 'string' } },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
      IntOrString: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
    },
  },
} as unknown as OpenApiDocument;

const rules = (apiGroups: string[], apiVersions: string[], resources: string[]): PolicySpec => ({
  matchConstraints: { resourceRules: [{ apiGroups, apiVersions, operations: ['*'], resources }] },
});

const problem = (column: number, text: string, line: string): string =>
  `apps/v1, Kind=Deployment: ERROR: <input>:1:${column}: ${text}\n | ${line}\n | ${'.'.repeat(column - 1)}^\n`;

const CASES: readonly { readonly name: string; readonly expression: string; readonly expect: string | undefined }[] = [
  { name: 'what is declared', expression: 'object.spec.replicas > 1', expect: undefined },
  {
    name: 'a field that there is not',
    expression: 'object.foo < 1',
    expect: problem(7, "undefined field 'foo'", 'object.foo < 1'),
  },
  {
    name: 'another type',
    expression: "object.spec.replicas > '1'",
    expect: problem(
      22,
      "found no matching overload for '_>_' applied to '(int, string)'",
      "object.spec.replicas > '1'",
    ),
  },
  {
    name: 'a number or a text',
    expression: "object.spec.maxSurge == 1 || object.spec.maxSurge == '1'",
    expect: undefined,
  },
  { name: 'names of lists and maps', expression: "object.spec.names[0] == object.spec.labels['a']", expect: undefined },
  { name: 'metadata', expression: "object.metadata.name == 'a' && object.kind == oldObject.kind", expect: undefined },
  { name: 'what refers to itself', expression: 'has(object.spec.self)', expect: undefined },
  { name: 'variables', expression: 'variables.count > 1', expect: undefined },
  {
    name: 'types of variables',
    expression: "variables.count == 'a'",
    expect: problem(17, "found no matching overload for '_==_' applied to '(int, string)'", "variables.count == 'a'"),
  },
  {
    name: 'no parameters',
    expression: 'params == null',
    expect: problem(1, "undeclared reference to 'params' (in container '')", 'params == null'),
  },
];

t.test("a policy's expressions are checked with the schema of its kinds", async t => {
  const schema = schemaIn(DOCUMENT, DEPLOYMENT);
  const declared = schema && declareSchema(schema, { isRoot: true, name: 'Deployment' });
  if (declared === undefined) throw new Error('no schema');
  const typed = [{ kind: DEPLOYMENT, schema: declared }];
  const variables = [{ name: 'count', expression: 'object.spec.replicas' }];
  for (const { name, expression, expect } of CASES) {
    const warnings = atOnce(checkPolicy({ variables, validations: [{ expression }] }, typed, undefined));
    t.same(
      warnings,
      expect === undefined ? [] : [{ fieldRef: 'spec.validations[0].expression', warning: expect }],
      name,
    );
  }
  t.match(
    atOnce(checkPolicy({ validations: [{ expression: 'true', messageExpression: 'object.x' }] }, typed, undefined)),
    [{ fieldRef: 'spec.validations[0].messageExpression' }],
  );
});

t.test('only kinds that are named are checked', async t => {
  const client = {
    request: async (_method: string, path: string) => ({
      resources: path === '/apis/apps/v1' ? [{ name: 'deployments', kind: 'Deployment' }] : [],
    }),
  } as unknown as Client;
  const cases: readonly { readonly name: string; readonly spec: PolicySpec; readonly expect: readonly object[] }[] = [
    { name: 'one', spec: rules(['apps'], ['v1'], ['deployments']), expect: [DEPLOYMENT] },
    { name: 'none of a wildcard group', spec: rules(['*'], ['v1'], ['deployments']), expect: [] },
    { name: 'none of a wildcard version', spec: rules(['apps'], ['*'], ['deployments']), expect: [] },
    { name: 'no subresources', spec: rules(['apps'], ['v1'], ['deployments/scale', '*']), expect: [] },
    { name: 'not what is not served', spec: rules(['', 'apps'], ['v1'], ['deployments', 'x']), expect: [DEPLOYMENT] },
  ];
  for (const { name, spec, expect } of cases) t.same(await kindsOf(client, spec), expect, name);
  t.equal([...resourcesOf(rules(['a', 'b'], ['v1'], ['x', 'y']))].length, 4);
});

import t from 'tap';
import type { KubeObject } from '../../../src/machinery/types.js';
import { cellsOf, createErrors, created, updateErrors } from '../../support/kinds.js';

const claim = (devices: object): KubeObject => ({
  metadata: { name: 'c', namespace: 'ns' },
  spec: { devices },
});
const request = { name: 'r', exactly: { deviceClassName: 'gpu.example.com' } };
const CLAIMS = 'resourceclaims.resource.k8s.io';

t.test('ResourceClaims', async t => {
  const cases: readonly { name: string; input: object; expect: string[] }[] = [
    { name: 'valid', input: { requests: [request] }, expect: [] },
    {
      name: 'neither form of a request',
      input: { requests: [{ name: 'r' }] },
      expect: ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
    },
    {
      name: 'two of one name',
      input: { requests: [request, request] },
      expect: ['spec.devices.requests[1]: Duplicate value: "r"'],
    },
    {
      name: 'a count of all',
      input: { requests: [{ name: 'r', exactly: { ...request.exactly, allocationMode: 'All', count: 2 } }] },
      expect: [
        "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
      ],
    },
    {
      name: 'a selector that is no question',
      input: { requests: [{ name: 'r', exactly: { ...request.exactly, selectors: [{ cel: { expression: '1' } }] } }] },
      expect: [
        'spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "1": must evaluate to bool or the unknown type, not int',
      ],
    },
    {
      name: 'a constraint on requests that are not there',
      input: { requests: [request], constraints: [{ requests: ['x'], matchAttribute: 'model' }] },
      expect: [
        'spec.devices.constraints[0].requests[0]: Invalid value: "x": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
        'spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash',
      ],
    },
  ];
  for (const { name, input, expect } of cases) t.strictSame(createErrors(CLAIMS, claim(input)), expect, name);
  t.match(created(CLAIMS, claim({ requests: [request] })), {
    spec: { devices: { requests: [{ exactly: { allocationMode: 'ExactCount', count: 1 } }] } },
  });
  t.match(
    updateErrors(CLAIMS, claim({ requests: [request] }), changed => {
      changed['spec'] = { devices: { requests: [{ ...request, name: 'other' }] } };
    }),
    [/^spec: Invalid value: \{"Devices":\{"Requests":\[\{"Name":"other","Exactly":.*: field is immutable$/],
  );
  t.equal(cellsOf(CLAIMS, claim({ requests: [request] }))[1], 'pending');
});

t.test('ResourceSlices', async t => {
  const slice = (more: object): KubeObject => ({
    metadata: { name: 's' },
    spec: { driver: 'gpu.example.com', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, ...more },
  });
  const kind = 'resourceslices.resource.k8s.io';
  t.strictSame(createErrors(kind, slice({ nodeName: 'n' })), []);
  t.strictSame(createErrors(kind, slice({ nodeName: 'n', allNodes: true })), [
    'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
  ]);
  t.strictSame(
    createErrors(kind, slice({ allNodes: true, devices: [{ name: 'd', attributes: { v: { version: 'x' } } }] })),
    [
      'spec.devices[0].attributes[v].version: Invalid value: "x": must be a string compatible with semver.org spec 2.0.0',
    ],
  );
});

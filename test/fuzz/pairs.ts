import { errorList, errorsOf, path, type FieldError } from '../../src/machinery/field-error.js';
import { validateFieldManager } from '../../src/machinery/validation/object-meta.js';
import type { DeepReadonly, KubeObject, Pod } from '../../src/machinery/types.js';
import { csiNodeStrategy } from '../../src/kinds/storage/csi-node.js';
import { podRow } from '../../src/kinds/core/pod/pod-cells.js';
import { portWarnings } from '../../src/kinds/core/pod/port-warnings.js';
import { resourceClaimStrategy } from '../../src/kinds/resource/resource-claim.js';
import { resourceQuotaStrategy } from '../../src/kinds/core/resource-quota.js';
import { storageClassStrategy } from '../../src/kinds/storage/storage-class.js';
import { validatingAdmissionPolicyStrategy } from '../../src/kinds/admissionregistration/admission-policy.js';
import type { RequestContext, Strategy, ValidationContext } from '../../src/api/strategy.js';
import type { AdmissionRequest } from '../../src/server/admission/types.js';
import { checkPodSpec } from '../../src/kinds/core/pod/validation/pod-spec.js';
import { checkPodStatusUpdate } from '../../src/kinds/core/pod/validation/pod-status-update.js';
import { jsonDiff } from '../../src/kinds/validation/spec-diff.js';
import { checkWebhookClient } from '../../src/kinds/admissionregistration/validation/webhook.js';
import { limitRanger } from '../../src/server/admission/limit-ranger.js';
import { invalidError } from '../../src/machinery/status.js';
import type { Row } from './growth.js';
import { EQUAL, MANY } from './lists.js';
import type { Rows } from './worker.js';

/** Makes the value, and gives what checks it. `n` differs from item to item or is the same for all, `i` is the place. */
type Case = (list: <T>(make: (n: number, i: number) => T) => T[]) => () => unknown;

const kind = { group: '', kind: 'Thing' };

/** As a registry does, up to the answer. */
function checking(check: (out: FieldError[]) => void): () => void {
  return () => {
    const errors = errorsOf(() => {
      const out = errorList();
      check(out);
      return out;
    });
    if (errors.length > 0) invalidError(kind, 'n', errors);
  };
}

const podSpec = (spec: object): (() => void) =>
  checking(out => checkPodSpec(out, path('spec'), spec as Parameters<typeof checkPodSpec>[2], { isPod: true }));

const NOTHING = {} as unknown as ValidationContext;

/** The strategy's own rules about an object, or about its change. */
function ruled<T extends KubeObject>(strategy: Strategy<T>, spec: object, old?: object): () => void {
  const object = (of: object): DeepReadonly<T> => ({ metadata: { name: 'n' }, ...of }) as unknown as DeepReadonly<T>;
  const found = (): readonly FieldError[] =>
    (old === undefined
      ? strategy.validate?.(NOTHING, object(spec))
      : strategy.validateUpdate?.(NOTHING, object(spec), object(old))) ?? [];
  return () => void invalidError(kind, 'n', errorsOf(found));
}

const statusRule = (strategy: Strategy<never>, now: object, old: object): (() => void) => {
  const part = (strategy as Strategy).subresources?.['status'];
  const [object, before] = [now, old].map(of => ({ metadata: { name: 'n', deletionTimestamp: 'x' }, ...of }));
  if (part?.kind !== 'part') throw new Error('no rules of a status');
  return () => {
    errorsOf(() => part.validateUpdate?.(NOTHING, object as KubeObject, before as KubeObject) ?? []);
  };
};

const limited = (pod: object, limits: object): (() => void) => {
  const range = { metadata: {}, spec: { limits: [limits] } };
  const ctx = { objects: { list: () => [range] } } as unknown as RequestContext;
  const resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' };
  const request = { operation: 'CREATE', subresource: '', key: { namespace: 'n', name: 'n' }, resource, object: pod };
  return () => {
    try {
      void limitRanger.admit?.(ctx, request as unknown as AdmissionRequest);
      void limitRanger.validate?.(ctx, request as unknown as AdmissionRequest);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'StatusError') throw error;
    }
  };
};

const CASES: Readonly<Record<string, Case>> = {
  'topologies of a StorageClass': list =>
    ruled(storageClassStrategy, {
      provisioner: 'p',
      allowedTopologies: list(n => ({ matchLabelExpressions: [{ key: 'k', values: [`v${n}`] }] })),
    }),
  'scopes of a quota that fit no resource': list =>
    ruled(resourceQuotaStrategy, {
      spec: { scopes: list(() => 'BestEffort'), hard: Object.fromEntries(list((_n, i) => [`hugepages-${i}`, '1'])) },
    }),
  'drivers of a CSINode': list => {
    const drivers = (nodeID: string): object => ({ spec: { drivers: list(n => ({ name: `d${n}`, nodeID })) } });
    return ruled(csiNodeStrategy, drivers('a'), drivers('b'));
  },
  'consumers of a claim': list => {
    const consumer = (n: number): object => ({ resource: 'pods', name: `p${n}`, uid: `u${n}` });
    const status = { allocation: {}, reservedFor: list(consumer) };
    return statusRule(resourceClaimStrategy as Strategy<never>, { status }, { status });
  },
  'variables of a policy': list =>
    ruled(validatingAdmissionPolicyStrategy, {
      spec: {
        variables: list(n => ({ name: `v${n}`, expression: '1' })),
        validations: list(() => ({ expression: 'true' })),
      },
    }),
  'variables from files of volumes': list =>
    podSpec({
      volumes: list(n => ({ name: `v${n}`, emptyDir: {} })),
      containers: [{ env: list(n => ({ name: 'e', valueFrom: { fileKeyRef: { volumeName: `v${n}` } } })) }],
    }),
  'claims of a container': list =>
    podSpec({
      resourceClaims: list(n => ({ name: `p${n}`, resourceClaimName: 'c' })),
      containers: [{ resources: { claims: list((n, i) => ({ name: `c${n}`, ...(i % 2 ? {} : { request: 'r' }) })) } }],
    }),
  'claims of many containers': list =>
    podSpec({
      resourceClaims: list((_n, i) => ({ name: `p${i}`, resourceClaimName: 'c' })),
      containers: list(n => ({ name: 'c', resources: { claims: [{ name: `c${n}` }] } })),
    }),
  'label keys of a spread': list =>
    podSpec({
      containers: [{}],
      topologySpreadConstraints: [
        {
          matchLabelKeys: list(n => `k${n}`),
          labelSelector: { matchExpressions: list(n => ({ key: `k${n}`, operator: 'Exists' })) },
        },
      ],
    }),
  'capabilities of a container': list =>
    podSpec({
      containers: [
        {
          securityContext: { allowPrivilegeEscalation: false, capabilities: { add: list(() => 'CAP_SYS_ADMIN') } },
        },
      ],
    }),
  'states of containers': list => {
    const states = (state: object): DeepReadonly<Pod> =>
      ({
        metadata: { name: 'n' },
        spec: { containers: [{ name: 'c0', resources: { claims: list(n => ({ name: `${n}` })) } }] },
        status: {
          containerStatuses: list(n => ({ name: `c${n}`, state, allocatedResourcesStatus: [{ name: 'claim:x' }] })),
        },
      }) as unknown as DeepReadonly<Pod>;
    const [now, old] = [states({}), states({ terminated: { exitCode: 0 } })];
    return checking(out => checkPodStatusUpdate(out, now, old));
  },
  'readiness gates and conditions': list => {
    const pod = {
      metadata: {},
      spec: { containers: [], readinessGates: list(n => ({ conditionType: `g${n}` })) },
      status: { conditions: list(n => ({ type: `c${n}`, status: 'True' })) },
    } as unknown as DeepReadonly<Pod>;
    return () => podRow(pod, 0);
  },
  'host ports': list => {
    const ports = list((n, i) => ({ at: String(i), port: { containerPort: 1, hostPort: 1 + n, hostIP: `ip${i}` } }));
    return () => portWarnings(ports);
  },
  'ports without a host port': list => {
    const ports = list((n, i) => ({ at: String(i), port: { containerPort: n } }));
    return () => portWarnings(ports);
  },
  'lines of two specs': list => {
    const [a, b] = [list(n => `line ${n % 90}`), list((n, i) => `line ${(n * 7 + i) % 90}`)];
    return () => jsonDiff(a, b);
  },
  'segments of a path': list => {
    const text = `/${list(n => `${n}/`).join('')}`;
    const service = { namespace: 'n', name: 'n', port: 1, path: text.replaceAll('1', '') };
    return checking(out => checkWebhookClient(out, path('clientConfig'), { service }));
  },
  'characters of a manager': list => {
    const text = list(n => String.fromCharCode(n % 30)).join('');
    return checking(out => {
      for (const error of validateFieldManager(text, path('manager'))) out.push(error);
    });
  },
  'limits of a namespace': list => {
    const amounts = (amount: string): object => Object.fromEntries(list((_n, i) => [`example.com/r${i}`, amount]));
    const containers = list(n => ({ name: `c${n}` }));
    return limited({ metadata: {}, spec: { containers } }, { type: 'Container', min: amounts('1'), max: amounts('2') });
  },
  'defaults of a namespace': list => {
    const amounts = Object.fromEntries(list((_n, i) => [`example.com/r${i}`, '1']));
    const pod = (): object => ({ metadata: {}, spec: { containers: list(n => ({ name: `c${n}` })) } });
    return limited(pod(), { type: 'Container', default: amounts, defaultRequest: amounts });
  },
};

/** Where each of two lists, or of one list twice, has to do with each of the other. */
export function rows(): Promise<Rows> {
  const all = Object.entries(CASES).map(([name, of]): Row => ({
    name,
    shapes: [MANY, EQUAL],
    // What validates big objects runs in a thread; admission and the cells of tables do not.
    offLoop: !/of a namespace|cells|row/.test(name),
    sizes: [200, 2_000, 20_000],
    prepare(text) {
      const nth = text.startsWith('=') ? () => 0 : (i: number) => i;
      return of(make => Array.from({ length: text.length }, (_, i) => make(nth(i), i)));
    },
  }));
  return Promise.resolve({ rows: all, close: () => undefined });
}

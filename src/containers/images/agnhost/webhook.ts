import { isObject, reviewServer, type Json, type Reviewer } from './review-server.js';

/** An object under `key`, or an empty one. */
const at = (value: Json, key: string): Json => (isObject(value[key]) ? value[key] : {});
const containers = (spec: Json, list: string): Json[] => (Array.isArray(spec[list]) ? spec[list].filter(isObject) : []);

const ALLOWED: Json = { allowed: true };
const denied = (status: Json): Json => ({ allowed: false, status: { metadata: {}, ...status } });
const patched = (...patch: Json[]): Json => ({
  allowed: true,
  patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  patchType: 'JSONPatch',
});
const add = (path: string, value: unknown): Json => ({ op: 'add', path, value });

/** A reviewer of one resource; others are none of its business. */
const only =
  (resource: string, review: Reviewer): Reviewer =>
  (request, process, flags) => {
    const { group, version, resource: asked } = at(request, 'resource');
    const is = (group === '' || group === undefined) && version === 'v1' && asked === resource;
    return is
      ? review(request, process, flags)
      : denied({ message: `expect resource to be /v1, Resource=${resource}` });
  };

const MARK = 'webhook-e2e-test';

/** Refuses data that is marked as unwanted, and the removal of what is marked as not to be removed. */
const unwantedData =
  (what: string, data: string): Reviewer =>
  request => {
    const { operation } = request;
    const object = at(request, operation === 'DELETE' ? 'oldObject' : 'object');
    const mark = at(object, 'data')[MARK];
    if (mark === 'webhook-disallow' && (operation === 'CREATE' || operation === 'UPDATE'))
      return denied({ reason: `the ${what} contains unwanted ${data}` });
    if (mark === 'webhook-nondeletable' && operation === 'DELETE')
      return denied({ reason: `the ${what} cannot be deleted because it contains unwanted key and value` });
    return ALLOWED;
  };

/** Two webhooks of this kind in a row: the second sees what the first has done. */
const stages: Reviewer = request => {
  const data = at(at(request, 'object'), 'data');
  if (data['mutation-stage-1'] === 'yes') return patched(add('/data/mutation-stage-2', 'yes'));
  if (data['mutation-start'] === 'yes') return patched(add('/data/mutation-stage-1', 'yes'));
  return ALLOWED;
};

const admitPods: Reviewer = async (request, process) => {
  const pod = at(request, 'object');
  const mark = at(at(pod, 'metadata'), 'labels')[MARK];
  const problems: string[] = [];
  if (mark === 'webhook-disallow') problems.push('the pod contains unwanted label;');
  if (mark === 'wait-forever')
    await new Promise((_, reject) =>
      process.signal.addEventListener('abort', () => reject(process.signal.reason as Error), { once: true }),
    );
  for (const { name } of containers(at(pod, 'spec'), 'containers'))
    if (String(name).includes('webhook-disallow')) problems.push('the pod contains unwanted container name;');
  return problems.length === 0 ? ALLOWED : denied({ message: problems.join(' ') });
};

const has = (list: readonly Json[], name: string): boolean => list.some(container => container['name'] === name);

const mutatePods: Reviewer = request => {
  const pod = at(request, 'object');
  const name = 'webhook-added-init-container';
  if (at(pod, 'metadata')['name'] !== 'webhook-to-be-mutated') return ALLOWED;
  if (has(containers(at(pod, 'spec'), 'initContainers'), name)) return ALLOWED;
  return patched(add('/spec/initContainers', [{ image: 'webhook-added-image', name, resources: {} }]));
};

const addSidecar: Reviewer = (request, _process, flags) => {
  const image = flags.text('sidecar-image', '');
  const message = 'No image specified by the sidecar-image parameter';
  if (image === '') return denied({ status: 'Failure', message, code: 500 });
  const name = 'webhook-added-sidecar';
  if (has(containers(at(at(request, 'object'), 'spec'), 'containers'), name)) return ALLOWED;
  return patched(add('/spec/containers/-', { image, name, resources: {} }));
};

const addLabel: Reviewer = request => {
  const labels = at(at(at(request, 'object'), 'metadata'), 'labels');
  if (Object.keys(labels).length === 0) return patched(add('/metadata/labels', { 'added-label': 'yes' }));
  if (!Object.hasOwn(labels, 'added-label')) return patched(add('/metadata/labels/added-label', 'yes'));
  const path = '/metadata/labels/added-label';
  return labels['added-label'] === 'yes' ? ALLOWED : patched({ op: 'replace', path, value: 'yes' });
};

const refuseAttach: Reviewer = request => {
  const { container, stdin } = at(request, 'object');
  if (request['name'] !== 'to-be-attached-pod' || stdin !== true || container !== 'container1') return ALLOWED;
  return denied({ message: "attaching to pod 'to-be-attached-pod' is not allowed" });
};

const admitDefinition: Reviewer = request => {
  const labels = at(at(at(request, 'object'), 'metadata'), 'labels');
  return labels[MARK] === 'webhook-disallow' ? denied({ message: 'the crd contains unwanted label' }) : ALLOWED;
};

/** The admission webhooks of the Kubernetes test image: what each path does is what upstream's tests expect. */
export const webhook = reviewServer({
  kind: 'AdmissionReview',
  group: 'admission.k8s.io',
  echoesRequest: false,
  reviewers: {
    '/always-allow-delay-5s': async (_request, { container, signal }) => {
      await container.clock.sleep(5000, signal);
      return ALLOWED;
    },
    '/always-deny': () => denied({ message: 'this webhook denies all requests' }),
    '/add-label': addLabel,
    '/pods': only('pods', admitPods),
    '/pods/attach': refuseAttach,
    '/mutating-pods': only('pods', mutatePods),
    '/mutating-pods-sidecar': only('pods', addSidecar),
    '/configmaps': only('configmaps', unwantedData('configmap', 'key and value')),
    '/mutating-configmaps': only('configmaps', stages),
    '/custom-resource': unwantedData('custom resource', 'data'),
    '/mutating-custom-resource': stages,
    '/crd': admitDefinition,
  },
});

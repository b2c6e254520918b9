import { errorList, invalid, path, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import type { DeepReadonly, KubeObject, Namespace } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { nameIsDnsLabel } from '../../machinery/validation/names.js';
import { isQualifiedName } from '../validation/formats.js';
import { isQualifiedName as qualifiedNameErrors } from '../../machinery/validation/names.js';

const NAME_LABEL = 'kubernetes.io/metadata.name';
/** What keeps a namespace until the namespace controller has emptied it. */
const FINALIZER = 'kubernetes';
const STANDARD_FINALIZERS = [FINALIZER, 'orphan', 'foregroundDeletion'];

function labelWithName(namespace: Namespace): void {
  const { metadata } = namespace;
  if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
}

function checkFinalizer(out: FieldError[], at: FieldPath, name: string): void {
  if (!isQualifiedName(name)) for (const text of qualifiedNameErrors(name)) out.push(invalid(at, name, text));
  if (!name.includes('/') && !STANDARD_FINALIZERS.includes(name))
    out.push(invalid(at, name, 'name is neither a standard finalizer name nor is it fully qualified'));
}

const finalizersOf = (namespace: DeepReadonly<KubeObject>): readonly string[] =>
  (namespace as DeepReadonly<Namespace>).spec?.finalizers ?? [];

export const namespaceStrategy: Strategy<Namespace> = {
  default(namespace) {
    labelWithName(namespace);
    (namespace.status ??= {}).phase ||= 'Active';
  },
  prepareForCreate(_ctx, namespace) {
    namespace.status = { phase: 'Active' };
    const spec = (namespace.spec ??= {});
    if (!(spec.finalizers ?? []).includes(FINALIZER)) spec.finalizers = [...(spec.finalizers ?? []), FINALIZER];
  },
  prepareForUpdate(_ctx, namespace, old) {
    namespace.spec = { ...namespace.spec, finalizers: [...finalizersOf(old)] };
    if (finalizersOf(old).length === 0) delete namespace.spec.finalizers;
    namespace.status = { ...old.status } as NonNullable<Namespace['status']>;
  },
  validate(_ctx, namespace) {
    const out = errorList();
    for (const name of finalizersOf(namespace)) checkFinalizer(out, path('spec', 'finalizers'), name);
    return out;
  },
  validateUpdate(_ctx, namespace) {
    const out = errorList();
    checkMetadataAgain(out, namespace, { namespaced: false, name: nameIsDnsLabel });
    for (const name of finalizersOf(namespace)) checkFinalizer(out, path('spec', 'finalizers'), name);
    return out;
  },
  canonicalize: labelWithName,
  markDeleting(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
  finalized: namespace => finalizersOf(namespace).length === 0,
  subresources: {
    status: {
      kind: 'part',
      validateUpdate(_ctx, object) {
        const namespace = object as DeepReadonly<Namespace>;
        const phase = namespace.status?.phase ?? '';
        const deleting = namespace.metadata.deletionTimestamp !== undefined;
        // Upstream spells this path with a capital letter.
        const at = path('status', 'Phase');
        if (!deleting && phase !== 'Active')
          return [invalid(at, phase, "may only be 'Active' if `deletionTimestamp` is empty")];
        if (deleting && phase !== 'Terminating')
          return [invalid(at, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
        return [];
      },
    },
    finalize: {
      kind: 'part',
      prepareForUpdate(_ctx, object, old) {
        object['status'] = { ...(old['status'] as object | undefined) };
      },
      validateUpdate(_ctx, object) {
        const out = errorList();
        finalizersOf(object).forEach((name, i) => checkFinalizer(out, path('spec', 'finalizers').index(i), name));
        return out;
      },
    },
  },
};

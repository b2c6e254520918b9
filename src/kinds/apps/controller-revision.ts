import { errorList, path, required, type FieldError } from '../../machinery/field-error.js';
import type { ControllerRevision, DeepReadonly, KubeObject } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkImmutable, checkNonNegative } from '../validation/formats.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell, NONE } from '../cells.js';

function checkRevision(revision: DeepReadonly<ControllerRevision>): FieldError[] {
  const out = errorList();
  checkNonNegative(out, path('revision'), revision.revision);
  return out;
}

function checkData(out: FieldError[], data: unknown): void {
  if (data === undefined || data === null) out.push(required('data', 'data is mandatory'));
  else if (typeof data !== 'object' || Array.isArray(data))
    out.push(required('data', 'data must be a valid JSON object'));
}

/** "statefulset.apps/web" of the owner that controls the object. */
function controllerText(object: DeepReadonly<KubeObject>): string {
  const owner = object.metadata.ownerReferences?.find(reference => reference.controller === true);
  if (owner === undefined) return NONE;
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
  return `${(owner.kind + group).toLowerCase()}/${owner.name}`;
}

export const controllerRevisionStrategy: Strategy<ControllerRevision> = {
  validate(_ctx, revision) {
    const out = checkRevision(revision);
    checkData(out, revision.data);
    return out;
  },
  validateUpdate(_ctx, revision, old) {
    const out = errorList();
    checkMetadataAgain(out, revision, { namespaced: true, name: nameIsDnsSubdomain });
    for (const one of checkRevision(revision)) out.push(one);
    checkImmutable(out, path('data'), revision.data, old.data);
    return out;
  },
  cells(revision, nowMs) {
    const object = revision as DeepReadonly<KubeObject>;
    return { cells: [nameCell(object), controllerText(object), revision.revision ?? 0, ageCell(object, nowMs)] };
  },
};

import { path, required, type FieldError } from '../../machinery/field-error.js';
import type { ControllerRevision, DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Strategy } from '../strategy.js';
import { checkImmutable, checkNonNegative } from '../validation/formats.js';
import { ageCell, nameCell, NONE } from './cells.js';

function checkRevision(revision: DeepReadonly<ControllerRevision>): FieldError[] {
  const out: FieldError[] = [];
  if ((revision.data ?? null) === null) out.push(required('data', 'data is mandatory'));
  checkNonNegative(out, path('revision'), revision.revision);
  return out;
}

/** "statefulset.apps/web" of the owner that controls the object. */
function controllerText(object: DeepReadonly<KubeObject>): string {
  const owner = object.metadata.ownerReferences?.find(reference => reference.controller === true);
  if (owner === undefined) return NONE;
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
  return `${(owner.kind + group).toLowerCase()}/${owner.name}`;
}

export const controllerRevisionStrategy: Strategy<ControllerRevision> = {
  validate: (_ctx, revision) => checkRevision(revision),
  validateUpdate(_ctx, revision, old) {
    const out = checkRevision(revision);
    checkImmutable(out, path('data'), revision.data, old.data);
    return out;
  },
  cells(revision, nowMs) {
    const object = revision as DeepReadonly<KubeObject>;
    return { cells: [nameCell(object), controllerText(object), revision.revision ?? 0, ageCell(object, nowMs)] };
  },
};

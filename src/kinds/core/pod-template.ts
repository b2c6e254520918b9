import { errorList, path, type FieldError } from '../../machinery/field-error.js';
import type { DeepReadonly, PodTemplate } from '../../machinery/types.js';
import { defaultPodTemplate } from './pod/pod-spec-defaults.js';
import type { Strategy } from '../../api/strategy.js';
import { checkPodTemplate } from './pod/validation/pod-template.js';
import { containerCells, labelsCell, nameCell } from '../cells.js';
import { changedTemplateWarnings } from './pod/pod-warnings.js';

function check(object: DeepReadonly<PodTemplate>): FieldError[] {
  const out = errorList();
  checkPodTemplate(out, path('template'), object.template ?? {});
  return out;
}

export const podTemplateStrategy: Strategy<PodTemplate> = {
  default(object) {
    defaultPodTemplate((object.template ??= {}));
  },
  validate: (_ctx, object) => check(object),
  validateUpdate: (_ctx, object) => check(object),
  warnings: (_ctx, object, old) =>
    changedTemplateWarnings(object.template, old && { template: old.template }, 'template'),
  cells(object) {
    const { template } = object;
    return {
      cells: [nameCell(object), ...containerCells(template?.spec), labelsCell(template?.metadata?.labels)],
    };
  },
};

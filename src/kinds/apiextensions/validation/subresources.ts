import { invalid, required, type FieldError, type FieldPath } from '../../../machinery/field-error.js';
import { jsonString } from '../internal-json.js';
import type { Subresources } from '../types.js';
import { checkSimplePath } from './simple-path.js';

export function checkSubresources(out: FieldError[], at: FieldPath, subresources: Subresources | undefined): void {
  const scale = subresources?.scale;
  if (scale === undefined) return;
  checkReplicasPath(out, at.child('scale.specReplicasPath'), scale.specReplicasPath ?? '', 'spec');
  checkReplicasPath(out, at.child('scale.statusReplicasPath'), scale.statusReplicasPath ?? '', 'status');
  const { labelSelectorPath: selector = '' } = scale;
  const where = at.child('scale.labelSelectorPath');
  if (selector === '' || !checkSimplePath(out, where, selector)) return;
  if (!selector.startsWith('.spec.') && !selector.startsWith('.status.'))
    out.push(invalid(where, jsonString(selector), 'should be a json path under either .spec or .status'));
}

function checkReplicasPath(out: FieldError[], at: FieldPath, path: string, part: string): void {
  if (path === '') return void out.push(required(at));
  if (checkSimplePath(out, at, path) && !path.startsWith(`.${part}.`))
    out.push(invalid(at, path, `should be a json path under .${part}`));
}

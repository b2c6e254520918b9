import { fieldsAt, textAt, type BehaviourDocument, type FieldPath, type Fields } from '../documents.js';
import { templateAt } from './template-at.js';
import type { Step } from './types.js';

const NEXT = ['event', 'finalizers', 'delete', 'statusTemplate', 'statusSubresource', 'patches'];
const STEP = ['event', 'finalizers', 'delete', 'patch'];
const PATCH = ['subresource', 'root', 'template', 'type'];
/** What kwok calls patches, and what they are. */
const TYPES: Readonly<Record<string, 'json' | 'merge' | 'strategic'>> = {
  json: 'json',
  merge: 'merge',
  strategic: 'strategic',
};

/** What `next` says, in the order in which it is done. @throws BehaviourFileError */
export function readNext(document: BehaviourDocument, given: unknown, at: FieldPath): Step[] {
  const next = fieldsAt(document, given, at, NEXT);
  const { statusTemplate, statusSubresource = 'status', patches = [] } = next;
  if (!Array.isArray(patches)) return document.refuse([...at, 'patches'], 'want a list');
  const status: Step[] =
    statusTemplate === undefined || statusTemplate === ''
      ? []
      : [
          {
            kind: 'patch',
            type: 'strategic',
            subresource: textAt(document, statusSubresource, [...at, 'statusSubresource']),
            root: 'status',
            template: templateAt(document, statusTemplate, [...at, 'statusTemplate']),
          },
        ];
  const further = patches.map((patch: unknown, i) => patchAt(document, patch, [...at, 'patches', i]));
  return untilDeleted([...commonOf(document, next, at), ...status, ...further]);
}

/** What `steps` say. @throws BehaviourFileError */
export function readSteps(document: BehaviourDocument, given: unknown, at: FieldPath): Step[] {
  if (!Array.isArray(given)) return document.refuse(at, 'want a list');
  const steps = given.flatMap((item: unknown, i) => {
    const place = [...at, i];
    const step = fieldsAt(document, item, place, STEP);
    const { patch } = step;
    return [
      ...commonOf(document, step, place),
      ...(patch === undefined ? [] : [patchAt(document, patch, [...place, 'patch'])]),
    ];
  });
  return untilDeleted(steps);
}

/** What has been deleted is not changed any more. */
const untilDeleted = (steps: Step[]): Step[] => {
  const deleted = steps.findIndex(({ kind }) => kind === 'delete');
  return deleted < 0 ? steps : steps.filter(({ kind }, i) => i <= deleted || kind === 'event');
};

function commonOf(document: BehaviourDocument, given: Fields, at: FieldPath): Step[] {
  const { event, finalizers } = given;
  return [
    ...(event === undefined ? [] : [eventAt(document, event, [...at, 'event'])]),
    ...(finalizers === undefined ? [] : [finalizersAt(document, finalizers, [...at, 'finalizers'])]),
    ...(given['delete'] === true ? [{ kind: 'delete' } as const] : []),
  ];
}

function eventAt(document: BehaviourDocument, given: unknown, at: FieldPath): Step {
  const { type = 'Normal', reason = '', message = '' } = fieldsAt(document, given, at, ['type', 'reason', 'message']);
  if (type !== 'Normal' && type !== 'Warning') return document.refuse([...at, 'type'], 'want Normal or Warning');
  return {
    kind: 'event',
    type,
    reason: textAt(document, reason, [...at, 'reason']),
    message: templateAt(document, message, [...at, 'message']),
  };
}

function finalizersAt(document: BehaviourDocument, given: unknown, at: FieldPath): Step {
  const { add = [], remove = [], empty } = fieldsAt(document, given, at, ['add', 'remove', 'empty']);
  const values = (list: unknown, name: string): string[] => {
    if (!Array.isArray(list)) return document.refuse([...at, name], 'want a list');
    return list.map((item: unknown, i) => {
      const place = [...at, name, i];
      return textAt(document, fieldsAt(document, item, place, ['value'])['value'], [...place, 'value']);
    });
  };
  return { kind: 'finalizers', empty: empty === true, add: values(add, 'add'), remove: values(remove, 'remove') };
}

function patchAt(document: BehaviourDocument, given: unknown, at: FieldPath): Step {
  const { subresource, root, template, type = 'strategic' } = fieldsAt(document, given, at, PATCH);
  const known = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (known === undefined) return document.refuse([...at, 'type'], `want one of ${Object.keys(TYPES).join(', ')}`);
  const optional = (value: unknown, name: string): string | undefined =>
    value === undefined || value === '' ? undefined : textAt(document, value, [...at, name]);
  return {
    kind: 'patch',
    type: known,
    subresource: optional(subresource, 'subresource'),
    root: optional(root, 'root'),
    template: templateAt(document, template, [...at, 'template']),
  };
}

import { TemplateError, type Functions } from '../../../machinery/go-template/functions.js';
import { runTemplate } from '../../../machinery/go-template/run.js';
import { sameMembers } from '../../../machinery/same-members.js';
import type { StageObject } from './choose.js';
import type { Stage, Step } from './types.js';

/** What is to be done to an object. */
export type StageAction =
  | { readonly kind: 'event'; readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }
  | { readonly kind: 'delete' }
  | {
      readonly kind: 'patch';
      readonly type: 'json' | 'merge' | 'strategic';
      readonly subresource: string | undefined;
      readonly body: unknown;
    };

const MAX_YAML = 64 * 1024;

/** What a Stage says is to be done to an object, in order. @throws TemplateError where one of its templates cannot go on */
export async function playStage({ steps }: Stage, object: StageObject, functions: Functions): Promise<StageAction[]> {
  const actions: StageAction[] = [];
  for (const step of steps) {
    const action = await actionOf(step, object, functions);
    if (action !== undefined) actions.push(action);
  }
  return actions;
}

async function actionOf(step: Step, object: StageObject, functions: Functions): Promise<StageAction | undefined> {
  switch (step.kind) {
    case 'event':
      return { ...step, message: runTemplate(step.message, object, functions) };
    case 'delete':
      return step;
    case 'finalizers':
      return finalizers(step, object.metadata.finalizers ?? []);
    case 'patch': {
      const { kind, type, subresource, root } = step;
      const value = await parsed(runTemplate(step.template, object, functions));
      return { kind, type, subresource, body: type === 'json' ? below(value, root) : under(value, root) };
    }
  }
}

const under = (value: unknown, root: string | undefined): unknown => (root === undefined ? value : { [root]: value });

/** Operations of a JSON patch, whose paths begin at the root. */
function below(value: unknown, root: string | undefined): unknown {
  if (!Array.isArray(value)) throw new TemplateError('a JSON patch is a list');
  if (root === undefined) return value;
  return value.map((operation: unknown) => {
    const path =
      typeof operation === 'object' && operation !== null && 'path' in operation ? String(operation.path) : '';
    return { ...(operation as object), path: `/${root}${path}` };
  });
}

/** Undefined: they are as they should be already. */
function finalizers(
  { empty, add, remove }: Step & { kind: 'finalizers' },
  before: readonly string[],
): StageAction | undefined {
  const kept = empty ? [] : before.filter(finalizer => !remove.includes(finalizer));
  const after = [...kept, ...add.filter(finalizer => !kept.includes(finalizer))];
  if (sameMembers(after, before)) return undefined;
  return { kind: 'patch', type: 'merge', subresource: undefined, body: { metadata: { finalizers: after } } };
}

/** @throws TemplateError where the text is no YAML */
async function parsed(text: string): Promise<unknown> {
  if (text.length > MAX_YAML) throw new TemplateError(`makes more than ${MAX_YAML} characters`);
  const yaml = (await import('yaml')).default;
  try {
    return yaml.parse(text, { prettyErrors: false }) as unknown;
  } catch (error) {
    throw new TemplateError(`makes no YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
}

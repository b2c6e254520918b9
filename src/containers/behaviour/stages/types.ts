import type { Template } from '../../../machinery/go-template/syntax.js';
import type { Expression } from '../../../machinery/jq/syntax.js';

/** A Stage of kwok: what becomes of an object that is as its selector says. */
export interface Stage {
  readonly name: string;
  readonly kind: 'Pod' | 'Node';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly requirements: readonly Requirement[];
  /** Of several that match, how likely it is the one. */
  readonly weight: From<number>;
  /** Milliseconds. */
  readonly delay: From<number> | undefined;
  /** With it, it is anything between the two; where it is less than the delay, this is the delay. */
  readonly jitter: From<number> | undefined;
  readonly steps: readonly Step[];
}

/** A value, or what an expression gives, where it gives one. */
export interface From<T> {
  readonly value: T | undefined;
  readonly expression: Expression | undefined;
}

export interface Requirement {
  readonly key: Expression;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export type Step =
  | { readonly kind: 'event'; readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: Template }
  | {
      readonly kind: 'finalizers';
      readonly empty: boolean;
      readonly add: readonly string[];
      readonly remove: readonly string[];
    }
  | { readonly kind: 'delete' }
  | {
      readonly kind: 'patch';
      readonly type: 'json' | 'merge' | 'strategic';
      readonly subresource: string | undefined;
      /** The field that the template is of; undefined: the object. */
      readonly root: string | undefined;
      readonly template: Template;
    };

/** Whether it says what becomes of the object's status. */
export const writesStatus = ({ steps }: Stage): boolean =>
  steps.some(step => step.kind === 'patch' && step.subresource === 'status');

import type { Parameter } from './parameters.js';

/** Which content types an answer may have. */
export type Media = 'object' | 'list' | 'any' | 'log' | 'discovery' | 'json' | 'keys';

/** One HTTP operation on a resource, before it is written in a version of OpenAPI. */
export interface Operation {
  readonly path: string;
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch' | 'options' | 'head';
  readonly operationId: string;
  readonly description: string;
  /** x-kubernetes-action; absent, like the kind, for what is about no resource. */
  readonly action?: string;
  readonly tag: string;
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly query: readonly Parameter[];
  readonly pathParameters: readonly Parameter[];
  /** Kind of the resource that it belongs to, which may be custom. */
  readonly of?: string;
  /** Types by api-schemas name or kind; undefined: none. */
  readonly body?: string;
  readonly bodyRequired?: boolean;
  readonly answer: string;
  readonly codes: readonly number[];
  readonly media: Media;
}

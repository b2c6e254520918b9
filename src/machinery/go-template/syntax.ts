/** A template that is not read here. `message` names the line and what is wrong. */
export class TemplateSyntaxError extends Error {
  override readonly name = 'TemplateSyntaxError';
}

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'field'; readonly of: Operand; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Operand[] }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** Each command's value is the last argument of the next one, which is a call. */
export type Pipeline = readonly Operand[];

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipeline: Pipeline }
  /** `$x := …`, or `$x = …` of one that there is. */
  | { readonly kind: 'set'; readonly name: string; readonly declares: boolean; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with';
      readonly name?: string;
      readonly pipeline: Pipeline;
      readonly body: Nodes;
      readonly otherwise: Nodes;
    }
  | {
      readonly kind: 'range';
      readonly key?: string;
      readonly item?: string;
      readonly pipeline: Pipeline;
      readonly body: Nodes;
      readonly otherwise: Nodes;
    }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'template'; readonly name: string; readonly pipeline?: Pipeline };

export type Nodes = readonly TemplateNode[];

export interface Template {
  readonly nodes: Nodes;
  /** What `define` has named. */
  readonly defined: ReadonlyMap<string, Nodes>;
}

/** The shell grammar of POSIX XCU 2.10, as far as it is understood here: everything but job control. */
export type Script = readonly ListItem[];

export interface ListItem {
  readonly node: AndOr;
  /** Ended by "&". */
  readonly background: boolean;
}

export interface AndOr {
  readonly first: Pipeline;
  readonly rest: readonly { readonly op: '&&' | '||'; readonly pipeline: Pipeline }[];
}

export interface Pipeline {
  readonly negated: boolean;
  readonly commands: readonly Command[];
}

export type Command =
  | SimpleCommand
  | { readonly kind: 'function'; readonly name: string; readonly body: Command }
  | {
      readonly kind: 'compound';
      readonly body: Compound;
      readonly redirections: readonly Redirection[];
    };

export interface SimpleCommand {
  readonly kind: 'simple';
  readonly assignments: readonly { readonly name: string; readonly value: Word }[];
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
}

export type Compound =
  | { readonly kind: 'group' | 'subshell'; readonly body: Script }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly condition: Script; readonly body: Script }[];
      readonly otherwise: Script | undefined;
    }
  | { readonly kind: 'loop'; readonly until: boolean; readonly condition: Script; readonly body: Script }
  /** `words` undefined: over the positional parameters. */
  | { readonly kind: 'for'; readonly name: string; readonly words: readonly Word[] | undefined; readonly body: Script }
  | {
      readonly kind: 'case';
      readonly subject: Word;
      readonly arms: readonly { readonly patterns: readonly Word[]; readonly body: Script }[];
    };

export type Redirection =
  | { readonly op: '<' | '>' | '>>' | '>|'; readonly fd: number; readonly target: Word }
  /** `2>&1`, `>&-`. */
  | { readonly op: '>&' | '<&'; readonly fd: number; readonly target: Word }
  | { readonly op: '<<'; readonly fd: number; readonly body: Word };

export type Word = readonly WordPart[];

export type WordPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: 'parameter';
      readonly name: string;
      readonly quoted: boolean;
      /** ":-", "=", "#", "##", "%", "%%", "length", ...; undefined for a plain $name. */
      readonly op?: string;
      readonly argument?: Word;
    }
  | { readonly kind: 'command'; readonly script: Script; readonly quoted: boolean }
  | { readonly kind: 'arithmetic'; readonly expression: Word; readonly quoted: boolean };

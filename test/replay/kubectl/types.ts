/** One session of kubectl in a namespace of its own. README.md in test/recordings tells the fields. */
export interface Head extends Versions {
  readonly name: string;
  readonly about: string;
  readonly needsControllers?: boolean;
  /** Nothing else may run beside it. */
  readonly alone?: boolean;
  readonly manifests: Readonly<Record<string, string>>;
  /** Arguments of `kubectl delete`. */
  readonly cleanup?: readonly string[];
  /** Minor versions that it was recorded with. */
  readonly versions: readonly string[];
}

export interface Versions {
  readonly minVersion?: string;
  readonly maxVersion?: string;
}

/** What one version printed. null: not compared. */
export interface Printed {
  readonly exit: number | string;
  readonly stdout: string | null;
  readonly stderr: string | null;
}

export type Comparison = 'exact' | 'json' | 'lines-unordered' | 'contains' | 'regex';

export interface Step extends Versions, Partial<Printed> {
  readonly run?: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Credentials instead of the administrator's. */
  readonly user?: unknown;
  /** Seconds. */
  readonly timeout?: number;
  readonly sleep?: number;
  readonly http?: {
    readonly url: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** Started and left running, under this name, once `until` is in its output. */
  readonly background?: string;
  readonly stop?: string;
  readonly until?: string;
  readonly settle?: number;
  readonly keepStderr?: boolean;
  readonly capture?: Readonly<Record<string, string>>;
  readonly alt?: readonly (Printed & { readonly versions: readonly string[] })[];
  readonly compare?: Comparison;
  readonly compareStderr?: Comparison;
  /** Repeated until it matches. */
  readonly retryUntilMatch?: number;
  readonly filter?: 'explain' | 'jsonkeys';
  readonly grep?: string;
  readonly grepStderr?: string;
  readonly sort?: boolean;
}

import type { Behaviour } from './hooks/behaviour.js';

/** One scenario: requests in order against namespaces of its own. README.md in test/recordings tells the fields. */
export interface Head {
  readonly name: string;
  readonly about: string;
  readonly needsControllers?: boolean;
  /** Variables, each the name of a namespace that is made before and removed after. */
  readonly namespaces?: readonly string[];
  /** Paths deleted at the end, the last first. */
  readonly cleanup?: readonly string[];
  /** Whom the API server asks, by path. */
  readonly servers?: Readonly<Record<string, Behaviour>>;
}

export interface Step {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  /** Added to the path. */
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  /** null: left out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** '': nobody; absent: the administrator. */
  readonly token?: string;
  readonly body?: unknown;
  readonly bodyBase64?: string;
  readonly bodyRepeat?: {
    readonly before: string;
    readonly text: string;
    readonly times: number;
    readonly after: string;
  };
  readonly sleepMs?: number;
  readonly waitFor?: WaitFor;
  readonly watch?: { readonly id: string };
  readonly collect?: Collect;
  /** Variable → path in the answer, or "header:NAME". */
  readonly save?: Readonly<Record<string, string>>;
  readonly select?: { readonly path: string; readonly where?: Readonly<Record<string, string>> };
  /** Taken out before lists are sorted. */
  readonly drop?: readonly string[];
  readonly unordered?: readonly string[];
  /** Taken out after that. */
  readonly ignore?: readonly string[];
  readonly ignoreBody?: boolean;
  /** How the answer's JSON is indented is compared too. */
  readonly checkFormat?: boolean;
  /** So are the descriptions of a table's columns. */
  readonly keepDescriptions?: boolean;
  readonly recordHeaders?: readonly string[];
  /** From this step on; null: nobody. */
  readonly servers?: Readonly<Record<string, Behaviour | null>>;
  /** false: what the API server has asked is not compared. */
  readonly hooks?: boolean;
  /** It may ask in any order. */
  readonly hooksUnordered?: boolean;
  /** Taken out of each of its requests. */
  readonly hooksIgnore?: readonly string[];
  /** Only the first request that has these values is compared. */
  readonly hooksPick?: Readonly<Record<string, unknown>>;
  /** What was asked in the step before belongs to this one too. */
  readonly keepHits?: boolean;
  /** No request: what the API server has asked aggregated APIs of its own accord, where the path is like this. */
  readonly background?: string;
  /** Done, but neither compared nor counted. */
  readonly tolerate?: boolean;
  readonly expect?: Readonly<Record<string, unknown>>;
}

export interface WaitFor {
  readonly status?: number;
  readonly path?: string;
  readonly equals?: unknown;
  readonly length?: number;
  readonly exists?: boolean;
  readonly absent?: boolean;
  readonly timeoutMs?: number;
}

/** Waits for as many events of a watch as are expected. */
export interface Collect {
  readonly id: string;
  /** Until the stream ends. */
  readonly end?: boolean;
  readonly bookmarks?: boolean;
  readonly close?: boolean;
  readonly timeoutMs?: number;
  readonly settleMs?: number;
}

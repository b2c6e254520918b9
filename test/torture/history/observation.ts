/** A version of an object, as somebody was shown it. */
export interface Seen {
  /** Its name; all are in one namespace. */
  readonly key: string;
  readonly uid: string;
  readonly revision: number;
  /** Stands for all that is in it but the revision: two of the same version are the same to the byte. */
  readonly content: string;
  /** The write that made it as a whole: a create or an update. */
  readonly token: string;
  /** The patch that came last since; '' is none. */
  readonly patched: string;
  /** The label that some observers select by. */
  readonly team: string;
  /** Whether what tokens say and what came with them are of one write. */
  readonly whole: boolean;
}

/** A write as it was asked for. */
export interface Write {
  readonly id: number;
  readonly operation: 'create' | 'update' | 'patch' | 'delete';
  readonly key: string;
  /** In nothing but this write; of a delete ''. */
  readonly token: string;
  /** The revision that an update insists on. */
  readonly base?: number;
  /** The one object that a delete is for. */
  readonly uid?: string;
}

export type Change = 'ADDED' | 'MODIFIED' | 'DELETED';

/** What somebody saw or did, in the order in which this process did. Selectors are teams; '' is everything. */
export type Observation =
  | { readonly what: 'sent'; readonly write: Write }
  /** `seen`: what a create, update or patch answered. */
  | { readonly what: 'answered'; readonly write: number; readonly code: number; readonly seen?: Seen }
  /** A server answers, and none that was before will. */
  | { readonly what: 'started' }
  | { readonly what: 'asked'; readonly list: number }
  | {
      readonly what: 'listed';
      readonly list: number;
      readonly by: string;
      readonly team: string;
      readonly revision: number;
      readonly items: readonly Seen[];
    }
  | { readonly what: 'watching'; readonly by: string; readonly team: string; readonly from: number }
  | { readonly what: 'event'; readonly by: string; readonly change: Change; readonly seen: Seen }
  | { readonly what: 'bookmark'; readonly by: string; readonly revision: number }
  /** An informer told its handler. `before`: what it had. */
  | {
      readonly what: 'handled';
      readonly by: string;
      readonly change: Change;
      readonly seen: Seen;
      readonly before?: Seen;
    }
  /** All that an informer has, at the end. */
  | { readonly what: 'holds'; readonly by: string; readonly items: readonly Seen[] };

export type Of<What extends Observation['what']> = Extract<Observation, { what: What }>;

export type History = readonly Observation[];

export const allOf = <What extends Observation['what']>(history: History, what: What): Of<What>[] =>
  history.filter((one): one is Of<What> => one.what === what);

/** Somebody who follows what happens, over all lives of the server. */
export interface Observer {
  readonly name: string;
  /** The newest revision that it was told of. */
  reached(): number;
}

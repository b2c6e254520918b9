/** One step of a recording, replayed. */
export interface Replayed {
  readonly recording: string;
  readonly step: string;
  readonly ok: boolean;
  /** What differs. */
  readonly about: string;
}

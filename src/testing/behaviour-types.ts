/** What some containers are told to do, as a rule of a behaviour file (docs/behaviour.md). */
export interface BehaviourRule {
  /** All that is given has to hold; texts are globs, in which "*" is any text. Absent: every main container. */
  readonly match?: {
    /** As the Pod writes it or whole, with its tag or without. */
    readonly image?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    /** Its name. */
    readonly container?: string;
  };
  readonly behaviour: ToldBehaviour;
}

/** Durations as Go writes them ("30s"). */
export interface ToldBehaviour {
  readonly pullDelay?: string;
  readonly pullError?: 'not-found' | 'denied' | 'unauthorized' | 'rate-limited' | 'no-such-host' | 'timeout';
  /** So many pulls fail, the next one succeeds. Default: all. */
  readonly pullFailures?: number;
  readonly startDelay?: string;
  /** 80, "53/udp", "9000/sctp" */
  readonly ports?: number | string | readonly (number | string)[];
  readonly responseStatus?: number;
  readonly responseBody?: string;
  readonly responseType?: string;
  readonly responseDelay?: string;
  /** Lines. */
  readonly log?: string | readonly string[];
  readonly logInterval?: string;
  /** "pass", "fail", "pass after 30s", "fail after 30s" */
  readonly readiness?: string;
  readonly liveness?: string;
  readonly startup?: string;
  /** "250m", or "80%" of what is requested. */
  readonly cpu?: number | string;
  readonly memory?: number | string;
  readonly exitCode?: number;
  readonly exitAfter?: string;
  readonly oomAfter?: string;
  /** So many runs end so, the next one stays. Default: all. */
  readonly exitTimes?: number;
}

/** A request that was answered, or that began to be if it is a watch or a stream. */
export interface RecordedRequest {
  /** When it came, RFC 3339 with microseconds, by the cluster's clock. */
  readonly time: string;
  /** "jane", "system:serviceaccount:shop:default": as whom it was done. */
  readonly user: string;
  /** Who was really there, if they impersonated `user`. */
  readonly impersonator?: string;
  readonly userAgent: string;
  /** "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"; of paths that are no resource the HTTP method. */
  readonly verb: string;
  /** '' of the core group, and where there is no resource. */
  readonly group: string;
  readonly version: string;
  /** "deployments"; '' where there is none. */
  readonly resource: string;
  /** "status", or ''. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Path and query as sent. */
  readonly url: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Of an error, e.g. "Conflict". */
  readonly reason?: string;
  /** What was sent, with `record: 'Request'` and where there was a body. */
  readonly body?: unknown;
}

/** Which requests are meant: all that is given has to hold. */
export interface RequestFilter {
  /** The whole name, or an expression that finds a part of it. */
  readonly user?: string | RegExp;
  /** What the client calls itself: its beginning, or an expression. */
  readonly userAgent?: string | RegExp;
  readonly verb?: string | readonly string[];
  /** "widgets", "widgets.example.com" or "pods/status" ("pods/*" for all subresources). Without a subresource it is the object itself. */
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string | RegExp;
}

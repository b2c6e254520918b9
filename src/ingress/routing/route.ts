/** A port of a Service, as whoever asks for it names it. */
export interface BackendPort {
  readonly namespace: string;
  readonly service: string;
  readonly port: number | string;
}

/** "namespace/name:port" */
export const backendKey = ({ namespace, service, port }: BackendPort): string => `${namespace}/${service}:${port}`;

export interface HeaderValue {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
}

export interface HeaderChange {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  /** Lower case. */
  readonly remove: readonly string[];
}

/** Another path: all of it, or what a prefix has taken. */
export interface PathChange {
  readonly kind: 'full' | 'prefix';
  readonly path: string;
}

export interface Redirect {
  readonly status: number;
  /** Absent: as it was asked. */
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly port?: number;
  readonly path?: PathChange;
}

export interface Backend {
  /** Undefined: what the rule names is none, or nobody may use it here. */
  readonly to: BackendPort | undefined;
  /** A share among its neighbours; 0: none. */
  readonly weight: number;
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
}

/** What becomes of a request. */
export interface Route {
  /** "Ingress shop/web", for the log. */
  readonly owner: string;
  /** What plain requests are sent to HTTPS for: 308. */
  readonly onlySecure?: boolean;
  readonly redirect?: Redirect;
  readonly backends: readonly Backend[];
  /** What is answered when no backend can be chosen: an Ingress says 503, a Gateway 500. */
  readonly withoutBackend: 500 | 503;
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
  readonly rewrite?: { readonly host?: string; readonly path?: PathChange };
  /** Backends speak TLS; whose certificate it is nobody asks, as in ingress-nginx. */
  readonly secureBackend?: boolean;
  /** Bytes; 0: any number. */
  readonly maxBody: number;
  readonly connectTimeoutMs: number;
  /** How long a backend may be silent. */
  readonly readTimeoutMs: number;
  /** From the first to the last byte; 0: as long as it takes. */
  readonly requestTimeoutMs: number;
}

/** ingress-nginx's: a megabyte, five seconds, a minute. */
export const DEFAULT_LIMITS = {
  maxBody: 1024 * 1024,
  connectTimeoutMs: 5_000,
  readTimeoutMs: 60_000,
  requestTimeoutMs: 0,
} as const;

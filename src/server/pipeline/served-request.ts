import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { IncomingRequest } from './exchange.js';

/** Most requests have none: they share this one, which nobody writes. */
const NO_QUERY = new URLSearchParams();

/** Bytes that are not UTF-8 become replacement characters; undefined: an escape lacks its digits. */
function unescape(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // Only bytes that are no UTF-8 are left as a reason.
    return Buffer.from(
      text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
      'latin1',
    ).toString();
  }
}

/** Path and query of a request target; undefined: its escapes cannot be read. */
export function target(url: string): { path: string; query: URLSearchParams } | undefined {
  // An absolute form ("GET http://host/path") is legal in HTTP/1.1.
  const relative = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const at = relative.indexOf('?');
  const raw = at < 0 ? relative : relative.slice(0, at);
  const query = at < 0 ? NO_QUERY : new URLSearchParams(relative.slice(at + 1));
  const path = raw.includes('%') ? unescape(raw) : raw;
  return path === undefined ? undefined : { path: path === '' ? '/' : path, query };
}

/** What Node has read of a request. */
export interface RawRequest {
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgradeHead: Buffer | undefined;
}

/**
 * A request as it waits for its turn among hundreds: what it may need only later is made when it is asked for, as each
 * collection of the young generation copies what there is of those that wait.
 */
export class ServedRequest implements IncomingRequest {
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgradeHead: Buffer | undefined;
  private id: string | undefined;
  private controller: AbortController | undefined;
  private reason: Error | undefined;
  private listeners: ((reason: Error) => void)[] | undefined;

  constructor(
    { raw, response, upgradeHead }: RawRequest,
    readonly path: string,
    readonly query: URLSearchParams,
  ) {
    this.raw = raw;
    this.response = response;
    this.upgradeHead = upgradeHead;
  }

  get method(): string {
    return this.raw.method ?? 'GET';
  }

  get url(): string {
    return this.raw.url ?? '/';
  }

  get socket(): TLSSocket {
    return this.raw.socket as TLSSocket;
  }

  get auditId(): string {
    if (this.id === undefined) {
      const given = this.raw.headers['audit-id'];
      this.id = typeof given === 'string' && given !== '' ? given : randomUUID();
    }
    return this.id;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  get abortedBy(): Error | undefined {
    return this.reason;
  }

  onAbort(listener: (reason: Error) => void): () => void {
    (this.listeners ??= []).push(listener);
    return () => {
      const { listeners = [] } = this;
      const at = listeners.indexOf(listener);
      if (at >= 0) listeners.splice(at, 1);
    };
  }

  abort(reason: Error): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.controller?.abort(reason);
    for (const listener of this.listeners?.splice(0) ?? []) listener(reason);
  }
}

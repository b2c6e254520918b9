import type { KeptVolumes } from '../pods/volumes/kept-volumes.js';
import type { Logger } from '../../machinery/logger.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../machinery/clock.js';
import type { Counters } from '../node/counters.js';
import type { NodeFigures } from '../node/summary.js';
import type { Kernels } from '../network/kernels.js';
import type { PodNetwork } from '../network/pod-network.js';
import type { ProxySettings } from '../proxy/proxy-settings.js';
import type { SyncFeed } from '../proxy/sync-feed.js';
import type { PodManager } from '../pods/pod-manager.js';

/** What the kubelet API shows. */
export interface KubeletContext {
  readonly nodeName: string;
  readonly pods: PodManager;
  readonly network: PodNetwork;
  readonly kernels: Kernels;
  /** How its proxy was told to be. */
  readonly proxy: ProxySettings;
  readonly syncs: SyncFeed;
  readonly keptVolumes: Pick<KeptVolumes, 'remove'>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly figures: NodeFigures;
  readonly counters: Counters;
  readonly version: string;
  /** As GET /configz shows it. */
  readonly configuration: () => object;
}

export interface KubeletRequest {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Path after the route's own, decoded. */
  readonly segments: readonly string[];
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** Answered as plain text, as the kubelet does. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Serves one request. @throws HttpError */
export type KubeletRoute = (context: KubeletContext, request: KubeletRequest) => Promise<void>;

export function sendText(response: ServerResponse, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

export const sendJson = (response: ServerResponse, value: unknown): void =>
  sendText(response, `${JSON.stringify(value)}\n`, 'application/json');

import type { Logger } from '../../machinery/logger.js';
import type { Clock } from '../../machinery/clock.js';
import type { Timeouts } from '../../machinery/timeouts.js';
import type { Turns } from '../../machinery/turns.js';
import type { Catalog, CatalogEntry } from '../../api/catalog.js';
import type { Codec } from '../../api/codec/create-codec.js';
import type { ProtobufAnswers } from '../../api/codec/protobuf.js';
import type { Objects } from '../../api/strategy.js';
import type { WebSocket } from 'ws';
import type { Auditor } from '../audit/auditor.js';
import type { Authentication } from '../auth/authn/authenticate.js';
import type { Authorizer } from '../auth/authorizer.js';
import type { Dialer } from '../dial/types.js';
import type { Backlog } from '../watch-stream/backlog.js';
import type { Rounds } from '../watch-stream/rounds.js';
import type { Slabs } from '../responses/slabs.js';
import type { Registry } from '../registry/types.js';
import type { Metrics } from '../endpoints/metrics.js';
import type { FlowControl } from '../flow-control/flow-control.js';
import type { InFlight } from './in-flight.js';
import type { DocumentRoute, Exchange, IncomingRequest } from './exchange.js';
import type { UnderWay } from './under-way.js';

export interface Step {
  readonly name: string;
  /** Anything thrown ends the request in the error step (errors.ts). */
  run(exchange: Exchange, context: ApiContext): Promise<void> | void;
}

/** Everything the pipeline and the handlers work with: made once by create-server, the same for all requests. */
export interface ApiContext {
  /** The way of every request, in order. */
  readonly steps: readonly Step[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly catalog: Catalog;
  readonly objects: Objects;
  readonly codec: Codec;
  readonly protobuf: ProtobufAnswers;
  readonly metrics: Metrics;
  /** Who is worked on, and who waits; undefined: `inFlight` alone limits. */
  readonly flowControl: FlowControl | undefined;
  readonly inFlight: InFlight;
  /** Of requests. */
  readonly timeouts: Timeouts;
  /** Cuts what takes long. */
  readonly turns: Turns;
  readonly backlog: Backlog;
  /** When watches write. */
  readonly rounds: Rounds;
  /** Of answers. */
  readonly slabs: Slabs;
  readonly audit: Auditor | undefined;
  readonly dialer: Dialer;
  /** The route of a path that another server serves. */
  readonly elsewhere?: (path: string) => DocumentRoute | undefined;
  /** Routes that are not about a resource, by path; longest prefix of whole segments wins. */
  readonly documents: (path: string) => DocumentRoute | undefined;
  readonly underWay: UnderWay;
  /** Aborts when the server stops: ends watches. */
  readonly stopping: AbortSignal;
  registryOf(entry: CatalogEntry): Registry;
  /** Completes a WebSocket handshake. @throws StatusError when the request cannot be upgraded */
  acceptWebSocket(request: IncomingRequest): Promise<WebSocket>;
  readonly authentication: Pick<Authentication, 'authenticate'>;
  readonly authorizer: Authorizer;
}

import { timeoutError } from '../../machinery/status.js';
import type { Timed } from '../../machinery/timeouts.js';
import type { FieldRequirement } from '../../machinery/fields.js';
import type { UserInfo } from '../../api/strategy.js';
import type { AuditRecord } from '../audit/audit-record.js';
import { anonymousUser } from '../auth/user.js';
import type { Classification, Seat } from '../flow-control/types.js';
import type { Loan } from '../responses/slabs.js';
import { JSON_TYPE, type MediaType } from '../negotiation/media-types.js';
import type { ApiContext } from './context.js';
import type { Exchange, Route } from './exchange.js';
import { infoOfPath, type RequestInfo } from './request-info.js';
import { plainNotFound } from './routes.js';
import type { ServedRequest } from './served-request.js';

const NO_ROUTE: Route = { kind: 'document', negotiated: false, handle: plainNotFound };
const NO_MEDIA: MediaType = { encoding: JSON_TYPE, pretty: false };
const NO_BODY = Buffer.alloc(0);

/** A request on its way. Everything that knows of it knows this one object: it is what expires, leaves and is counted. */
export class ServedExchange implements Exchange, Timed {
  info: RequestInfo;
  fields: readonly FieldRequirement[] | undefined;
  user: UserInfo = anonymousUser;
  impersonator?: UserInfo;
  readonly warnings: string[] = [];
  longRunning = false;
  route = NO_ROUTE;
  media = NO_MEDIA;
  body = NO_BODY;
  readonly receivedMs: number;
  readonly startedMs: number;
  audit: AuditRecord | undefined;
  asOf?: number;
  deadlineMs?: number;
  limitMs?: number;
  classification?: Classification;
  seat?: Seat;
  links: Timed['links'];
  dueMs = 0;
  private waitedFor = false;
  private loan: Loan | undefined;

  constructor(
    readonly request: ServedRequest,
    private readonly context: ApiContext,
  ) {
    this.info = infoOfPath(request.method, request.path);
    this.receivedMs = context.clock.now();
    this.startedMs = context.clock.monotonic();
  }

  limitTo(ms: number): void {
    this.limitMs = ms;
    this.deadlineMs = this.context.clock.monotonic() + ms;
    this.context.timeouts.start(ms, this);
  }

  take(size: number): Buffer {
    this.loan ??= this.context.slabs.lend();
    return this.loan.take(size);
  }

  enter(): void {
    this.context.underWay.enter();
    this.waitedFor = true;
  }

  abort(reason: Error): void {
    this.request.abort(reason);
  }

  expired(): void {
    const { response } = this.request;
    this.abort(timeoutError('request did not complete within the allotted timeout'));
    // A client that reads too slowly: what it has got is all it gets.
    if (response.headersSent) response.destroy();
  }

  /** Its answer is out, or its client is gone. */
  closed(): void {
    const { context, limitMs } = this;
    if (limitMs !== undefined) context.timeouts.stop(limitMs, this);
    this.seat?.release();
    if (this.waitedFor) context.underWay.leave();
    if (this.request.response.writableFinished) this.loan?.end();
    else this.abort(new Error('client is gone'));
    context.metrics.requestEnded(this);
    this.audit?.completed();
  }
}

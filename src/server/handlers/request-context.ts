import type { Objects, RequestContext, UserInfo, WriteOptions } from '../../api/strategy.js';
import type { Clock } from '../../machinery/clock.js';
import { notAllowedError } from '../auth/forbidden.js';
import { RequestAttributes } from '../pipeline/attributes.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange } from '../pipeline/exchange.js';

const READ_ONLY: WriteOptions = { dryRun: false, fieldManager: '', fieldValidation: 'Ignore' };

/** The request as strategies, admission and registries see it. */
class ExchangeContext implements RequestContext {
  readonly user: UserInfo;
  readonly clock: Clock;
  readonly objects: Objects;
  readonly deadlineMs?: number;

  constructor(
    private readonly exchange: Exchange,
    private readonly context: ApiContext,
    readonly options: WriteOptions,
  ) {
    this.user = exchange.user;
    this.clock = context.clock;
    this.objects = context.objects;
    if (exchange.deadlineMs !== undefined) this.deadlineMs = exchange.deadlineMs;
  }

  get signal(): AbortSignal {
    return this.exchange.request.signal;
  }

  onAbort(listener: () => void): () => void {
    return this.exchange.request.onAbort(listener);
  }

  throwIfAborted(): void {
    const { abortedBy } = this.exchange.request;
    if (abortedBy !== undefined) throw abortedBy;
  }

  async mayCreate(): Promise<void> {
    const attributes = new RequestAttributes(this.exchange, 'create');
    const { decision, reason } = this.context.authorizer.authorize(attributes);
    if (decision !== 'allow') throw notAllowedError(attributes, reason);
  }

  annotate(key: string, value: string, detail?: boolean): void {
    this.exchange.audit?.annotate(key, value, detail);
  }

  warn(text: string): void {
    this.exchange.warnings.push(text);
  }
}

export const requestContext = (
  exchange: Exchange,
  context: ApiContext,
  options: WriteOptions = READ_ONLY,
): RequestContext => new ExchangeContext(exchange, context, options);

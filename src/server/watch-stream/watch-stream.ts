import type { RequestInfo } from '../pipeline/request-info.js';
import type { ApiContext } from '../pipeline/context.js';
import type { ResourceInfo } from '../../api/resource-info.js';
import type { RegistryWatch, RegistryWatchEvent, WatchListener } from '../registry/types.js';
import type { FieldRequirement } from '../../machinery/fields.js';
import type { EventEncoder } from './event-encoder.js';
import type { WatchSink } from './sink.js';

/** What it needs of the request that asked for it, until the watch has begun. */
interface Asking {
  readonly info: RequestInfo;
  readonly fields?: readonly FieldRequirement[] | undefined;
  readonly seat?: { release(): void };
}

/**
 * From a watch of the registry to the stream of one client. Tens of thousands lie idle: each is an object without closures, and
 * nothing of its request is kept once it has begun.
 */
export class WatchStream implements WatchListener {
  ended = false;
  private sink: WatchSink | undefined;
  /** What comes before the stream to the client is open. */
  private early: Buffer[] | undefined = [];
  private watch: RegistryWatch | undefined;
  private counted = true;
  private readonly forget: (() => void) | undefined;
  private asking: Asking | undefined;

  constructor(
    private readonly context: ApiContext,
    private readonly info: ResourceInfo,
    private readonly encode: EventEncoder,
    asking: Asking,
  ) {
    this.asking = asking;
    context.metrics.watchStarted(info);
    this.forget = context.flowControl?.watching(asking.info, asking.fields);
    context.stopping.addEventListener('abort', this);
  }

  /** The server stops. */
  handleEvent(): void {
    this.end();
  }

  events(batch: readonly RegistryWatchEvent[]): void {
    const pieces: Buffer[] = [];
    for (const event of batch) this.encode(event, pieces);
    this.context.metrics.watchEvents(this.info, batch.length);
    if (this.sink !== undefined) this.sink.write(pieces);
    else for (const piece of pieces) this.early?.push(piece);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.stop();
    this.sink?.end();
  }

  cut(): void {
    this.ended = true;
    this.stop();
    this.sink?.destroy();
  }

  backlog(): number {
    return this.sink?.backlog() ?? 0;
  }

  /** From now on it takes nobody's place. */
  begun(): void {
    this.asking?.seat?.release();
    this.asking = undefined;
  }

  /** The watch that it listens to. */
  of(watch: RegistryWatch): void {
    this.watch = watch;
  }

  /** The stream to the client is open; it may have ended by now. */
  open(sink: WatchSink): void {
    const { early = [] } = this;
    this.sink = sink;
    this.early = undefined;
    if (early.length > 0) sink.write(early);
    if (this.ended) {
      sink.end();
      this.watch?.stop();
    }
  }

  stop(): void {
    this.context.stopping.removeEventListener('abort', this);
    this.watch?.stop();
    this.watch = this.asking = undefined;
    if (!this.counted) return;
    this.counted = false;
    this.context.metrics.watchEnded(this.info);
    this.forget?.();
  }
}

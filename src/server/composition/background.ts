import type { RequestContext } from '../../api/strategy.js';
import type { Aggregation } from '../aggregation/create-aggregation.js';
import { keepAuthenticationTrust } from '../bootstrap/authentication-trust.js';
import { keepNamespaces } from '../bootstrap/bootstrap.js';
import type { BootstrapOptions } from '../bootstrap/ensure.js';
import { runEventTtl } from '../bootstrap/event-ttl.js';
import { keepFlowControl } from '../bootstrap/flow-control.js';
import { keepServiceCidr } from '../bootstrap/service-cidr.js';
import type { ComposedEncryption } from './encryption.js';

export interface BackgroundParts {
  readonly boot: BootstrapOptions;
  /** The server acting for itself. */
  readonly ctx: RequestContext;
  readonly aggregation: Pick<Aggregation, 'run'>;
  readonly encryption: Pick<ComposedEncryption, 'keepReloaded'>;
  /** Looks at everything that is stored again. */
  readonly refresh: () => Promise<void>;
}

/** Starts what a server does of itself once it serves. All of it ends with the signal. */
export function startBackground({ boot, ctx, aggregation, encryption, refresh }: BackgroundParts): void {
  const { objects, clock, log, signal } = boot;
  const unlessStopped =
    (text: string) =>
    (err: unknown): void => {
      if (!signal.aborted) log.error({ err }, text);
    };
  void keepNamespaces(boot);
  void keepServiceCidr(boot);
  void keepAuthenticationTrust(boot);
  aggregation.run().catch(unlessStopped('nobody looks after aggregated APIs any more'));
  void keepFlowControl(boot);
  encryption
    .keepReloaded(refresh, signal)
    .catch(unlessStopped('nobody looks at the encryption configuration any more'));
  const onError = (err: unknown): void => log.error({ err }, 'could not delete old events');
  void runEventTtl({ objects, clock, ctx, signal, onError });
}

import { loadKubeConfig } from '../client/kubeconfig.js';
import { startPublisher } from '../cluster/publisher.js';
import { realClock } from '../machinery/clock.js';
import { addressesFlag } from './address-flags.js';
import { createLogger } from './logger.js';
import { saveMemory } from './memory-flags.js';
import { fail, signalOnTermination, untilAborted } from './process.js';

/** Runs until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runPublish(flags: Record<string, string>): Promise<void> {
  saveMemory();
  const signal = signalOnTermination();
  const log = await createLogger('publish', { level: flags['v'], format: flags['loggingFormat'] });
  try {
    const publisher = startPublisher({
      hostGateways: addressesFlag('host-gateway', flags['hostGateway'] ?? ''),
      config: await loadKubeConfig(flags['kubeconfig'] ?? ''),
      clock: realClock,
      log,
      say: line => process.stdout.write(`${line}\n`),
    });
    await Promise.race([untilAborted(signal), publisher.ended]);
    await publisher.close();
  } catch (error) {
    fail('publish', error);
  }
}

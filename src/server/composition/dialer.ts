import type { Objects } from '../../api/strategy.js';
import { createDialer } from '../dial/create-dialer.js';
import { createKubeletConnection } from '../dial/kubelet-connection.js';
import type { Dialer } from '../dial/types.js';
import type { Settings } from './settings.js';

/** What reaches nodes, Services and URLs. @param port where this server listens, once it does */
export function composeDialer(
  { pki, clock, random, advertiseAddress, bindAddress }: Settings,
  objects: Pick<Objects, 'get' | 'list'>,
  port: () => number,
): Dialer {
  return createDialer({
    objects,
    kubelet: createKubeletConnection(objects, {
      ca: pki.ca.cert,
      cert: pki.kubeletClient.cert,
      key: pki.kubeletClient.key,
    }),
    clock,
    random: n => random.below(n),
    machine: [advertiseAddress],
    own: () => ({ address: bindAddress, port: port() }),
  });
}

import type { NetNamespace } from '../../containers/network/types.js';

/** A network namespace as one container uses it: what it listens on is closed when it ends, however it ends. */
export interface OwnedNetwork {
  readonly network: NetNamespace;
  closeListeners(): void;
}

export function ownedNetwork(network: NetNamespace): OwnedNetwork {
  const open = new Set<() => void>();
  const owned = (close: () => void): (() => void) => {
    const closer = (): void => {
      open.delete(closer);
      close();
    };
    open.add(closer);
    return closer;
  };
  return {
    network: {
      ...network,
      listen: (port, handler, options) => owned(network.listen(port, handler, options)),
      listenUdp: (port, handler, options) => owned(network.listenUdp(port, handler, options)),
    },
    closeListeners() {
      for (const close of [...open]) close();
    },
  };
}

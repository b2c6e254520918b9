/** What connects a simulated machine with its network. Pulled, nothing comes or goes, and nobody is told. */
export interface Cable {
  readonly plugged: boolean;
  /** Calls back whenever it is pulled or plugged in, until the returned function is called. */
  onChange(listener: (plugged: boolean) => void): () => void;
}

/** The hand at it. */
export interface HandledCable extends Cable {
  pull(): void;
  plug(): void;
}

export function createCable(): HandledCable {
  const listeners = new Set<(plugged: boolean) => void>();
  let plugged = true;
  const set = (value: boolean): void => {
    if (plugged === value) return;
    plugged = value;
    for (const listener of [...listeners]) listener(value);
  };
  return {
    get plugged() {
      return plugged;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    pull: () => set(false),
    plug: () => set(true),
  };
}

/** Resolves when it is plugged in. Rejects with the signal's reason. */
export function whenPlugged(cable: Cable | undefined, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    if (cable === undefined || cable.plugged) return resolve();
    const finish = (settle: () => void): void => {
      forget();
      signal?.removeEventListener('abort', aborted);
      settle();
    };
    const aborted = (): void => finish(() => reject(signal?.reason as Error));
    const forget = cable.onChange(now => {
      if (now) finish(resolve);
    });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

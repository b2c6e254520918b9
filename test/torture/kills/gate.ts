/** Closed while no server is there to be asked. */
export interface Gate {
  readonly isOpen: boolean;
  open(): void;
  close(): void;
  /** Resolves when it is open, or will never be again: with whether it is open. */
  passed(): Promise<boolean>;
  /** Closes it for good. */
  end(): void;
}

export function createGate(): Gate {
  let isOpen = false;
  let ended = false;
  const waiting: (() => void)[] = [];
  const letGo = (): void => {
    for (const go of waiting.splice(0)) go();
  };
  return {
    get isOpen() {
      return isOpen;
    },
    open() {
      isOpen = !ended;
      letGo();
    },
    close: () => void (isOpen = false),
    async passed() {
      while (!isOpen && !ended) await new Promise<void>(resolve => void waiting.push(resolve));
      return isOpen;
    },
    end() {
      ended = true;
      isOpen = false;
      letGo();
    },
  };
}

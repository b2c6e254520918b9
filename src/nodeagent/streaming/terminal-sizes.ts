import type { TerminalSize } from '../../containers/container.js';

/** The sizes of a client's terminal as they come; of those that nobody has read the last. */
export interface TerminalSizes extends AsyncIterable<TerminalSize> {
  /** A message of the client: {"Width":80,"Height":24}. What is none is passed over. */
  push(message: Buffer): void;
  readonly end: () => void;
}

const MAX_MESSAGE = 1024;
const MAX_SIDE = 65_535;

export function createTerminalSizes(): TerminalSizes {
  let latest: TerminalSize | undefined;
  let ended = false;
  let wake: () => void = () => undefined;
  return {
    push(message) {
      if (message.length > MAX_MESSAGE) return;
      const text = message.toString('latin1');
      const columns = Number(/"Width":\s?(\d{1,5})/.exec(text)?.[1] ?? 0);
      const rows = Number(/"Height":\s?(\d{1,5})/.exec(text)?.[1] ?? 0);
      if (columns < 1 || rows < 1 || columns > MAX_SIDE || rows > MAX_SIDE) return;
      latest = { columns, rows };
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      while (!ended) {
        const size = latest;
        latest = undefined;
        if (size !== undefined) yield size;
        else await new Promise<void>(resolve => (wake = resolve));
      }
    },
  };
}

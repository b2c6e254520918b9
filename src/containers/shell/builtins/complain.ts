import type { Shell, Streams } from '../state.js';

/** Says on stderr what is wrong; the status to end with. */
export const complain = async (shell: Shell, streams: Streams, text: string, status = 1): Promise<number> => {
  await streams.stderr.write(`${shell.name}: ${text}\n`);
  return status;
};

import type { ServerResponse } from 'node:http';

type Write = ServerResponse['write'];

/**
 * Keeps what is written into an answer until the returned function is called; its head goes out. Whoever ends the answer
 * lets it go, too. Several may hold the same: it goes on when the last has let go.
 */
export function holdWrites(response: ServerResponse): () => void {
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  let kept: Parameters<Write>[] = [];
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    const pieces = kept;
    kept = [];
    for (const piece of pieces) write(...piece);
  };
  response.write = ((...piece: Parameters<Write>) => {
    if (!held) return write(...piece);
    kept.push(piece);
    return true;
  }) as Write;
  response.end = ((...rest: Parameters<ServerResponse['end']>) => {
    release();
    return end(...rest);
  }) as ServerResponse['end'];
  return release;
}

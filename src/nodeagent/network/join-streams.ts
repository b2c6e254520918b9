import type { Duplex } from 'node:stream';

/** Copies both ways until both ends are done. Half-close passes through; an error on one side resets the other. */
export function joinStreams(a: Duplex, b: Duplex): void {
  const link = (from: Duplex, to: Duplex): void => {
    from.on('error', error => to.destroy(error));
    from.on('close', () => {
      if (!to.writableEnded) to.end();
      // Whoever reads no more cannot take what still comes.
      if (!from.writableFinished) to.destroy();
    });
    from.pipe(to);
  };
  link(a, b);
  link(b, a);
}

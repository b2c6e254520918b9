import type { WebSocket } from 'ws';
import type { Backlog } from './backlog.js';
import type { WatchSink } from './sink.js';

const NORMAL_CLOSURE = 1000;

/** One frame per event: text for JSON, binary for protobuf (k8s.io/apiserver handlers/watch.go HandleWS). */
export function webSocketSink(socket: WebSocket, binary: boolean, backlog: Backlog): WatchSink {
  const account = backlog.open(() => socket.terminate());
  socket.once('close', () => account.close());
  return {
    write(pieces) {
      // Pieces of one event end with the piece that holds its newline.
      let from = 0;
      for (let i = 0; i < pieces.length && socket.readyState === socket.OPEN; i++) {
        const piece = pieces[i];
        if (piece === undefined || (!binary && piece[piece.length - 1] !== 0x0a)) continue;
        const frame = Buffer.concat(pieces.slice(from, i + 1));
        socket.send(frame, { binary }, () => account.take(frame.length));
        account.add(frame.length);
        from = i + 1;
      }
    },
    backlog: () => account.bytes(),
    end: () => socket.close(NORMAL_CLOSURE),
    destroy: () => socket.terminate(),
  };
}

import type { WebSocket } from 'ws';
import type { WatchSink } from './sink.js';

const NORMAL_CLOSURE = 1000;

/** One frame per event: text for JSON, binary for protobuf (k8s.io/apiserver handlers/watch.go HandleWS). */
export function webSocketSink(socket: WebSocket, binary: boolean): WatchSink {
  return {
    write(pieces) {
      if (socket.readyState !== socket.OPEN) return;
      // Pieces of one event end with the piece that holds its newline.
      let from = 0;
      for (let i = 0; i < pieces.length; i++) {
        const piece = pieces[i];
        if (piece === undefined || (!binary && piece[piece.length - 1] !== 0x0a)) continue;
        socket.send(Buffer.concat(pieces.slice(from, i + 1)), { binary });
        from = i + 1;
      }
    },
    backlog: () => socket.bufferedAmount,
    end: () => socket.close(NORMAL_CLOSURE),
    destroy: () => socket.terminate(),
  };
}

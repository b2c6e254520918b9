import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded into a server before its own code (`node --import`): who connects to the socket LAG_SOCKET is told how late its
 * event loop's timers were since the last one asked, as JSON, in milliseconds.
 */
const RESOLUTION_MS = 2;
const NS_IN_MS = 1e6;

if (isMainThread) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const late = (ns: number): number => Math.max(0, ns / NS_IN_MS - RESOLUTION_MS);
  createServer(socket => {
    socket.on('error', () => socket.destroy());
    socket.end(JSON.stringify({ p99: late(delays.percentile(99)), max: late(delays.max) }));
    delays.reset();
  })
    .listen(process.env['LAG_SOCKET'])
    .unref();
}

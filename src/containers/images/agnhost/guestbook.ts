import type { ServerResponse } from 'node:http';
import type { Process } from '../../process.js';
import { serveHttp } from '../http-server.js';
import { logLine, type Subcommand } from './command.js';
import { get } from './http.js';

const REGISTER_MS = 15_000;
const RETRY_MS = 1_000;
const CALL_MS = 5_000;

async function call(process: Process, host: string, port: number, path: string): Promise<string> {
  const { container, signal } = process;
  const [address] = (await container.resolver.lookup(host, { signal })).addresses;
  if (address === undefined) throw new Error(`lookup ${host}: no such host`);
  return (await get(container, { address, port }, path, { signal, timeoutMs: CALL_MS })).body;
}

/** A key-value store that replicates to those who register: /register, /get, /set, and /guestbook as the front. */
export const guestbook: Subcommand = async (process, flags) => {
  const { clock, pod } = process.container;
  const store: Record<string, string> = {};
  const replicas: string[] = [];
  const backend = flags.number('backend-port', 6379);
  const primary = flags.text('replicaof', '');

  const register = async (): Promise<number> => {
    const until = clock.monotonic() + REGISTER_MS;
    while (clock.monotonic() < until)
      try {
        const answer = await call(process, primary, backend, `/register?host=${pod.ip}`);
        Object.assign(store, (JSON.parse(answer) as { data: Record<string, string> }).data);
        logLine(process, `Registered to node: ${primary}`);
        return await new Promise<number>(() => undefined);
      } catch (error) {
        if (process.signal.aborted) throw error;
        logLine(
          process,
          `encountered error while registering to primary: ${(error as Error).message}. Retrying in 1s.`,
        );
        await clock.sleep(RETRY_MS, process.signal);
      }
    logLine(process, 'Timed out while registering to primary.');
    return 1;
  };

  const fail = (response: ServerResponse, code: number, text: string): void => {
    response.writeHead(code, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`${text}\n`);
  };
  const answer = async (url: URL, response: ServerResponse): Promise<void> => {
    const of = (name: string): string => url.searchParams.get(name) ?? '';
    const [key, value] = [of('key'), of('value')];
    logLine(process, `GET ${url.pathname}${url.search}`);
    switch (url.pathname) {
      case '/register':
        response.end(JSON.stringify({ data: store }));
        replicas.push(of('host'));
        return;
      case '/get':
        return void response.end(JSON.stringify({ data: key === '' ? store : (store[key] ?? '') }));
      case '/set':
        if (key === '') return fail(response, 400, 'cannot set with empty key.');
        store[key] = value;
        for (const replica of replicas)
          try {
            await call(process, replica, backend, `/set?key=${key}&value=${encodeURIComponent(value)}`);
          } catch (error) {
            const text = `encountered error while propagating to replica '${replica}': ${(error as Error).message}`;
            return fail(response, 417, text);
          }
        return void response.end(JSON.stringify({ message: 'Updated' }));
      case '/guestbook': {
        const command = of('cmd').toLowerCase();
        if (command !== 'get' && command !== 'set') return fail(response, 400, `unsupported cmd: '${command}'`);
        if (command === 'set' && key === '') return fail(response, 400, 'cannot set with empty key.');
        const host = command === 'get' ? 'agnhost-replica' : 'agnhost-primary';
        try {
          const path = `/${command}?key=${key}&value=${encodeURIComponent(value)}`;
          return void response.end(await call(process, host, backend, path));
        } catch (error) {
          return fail(response, 417, `encountered error: ${(error as Error).message}`);
        }
      }
      default:
        return fail(response, 404, '404 page not found');
    }
  };
  const serving = serveHttp(process, [flags.number('http-port', 80)], (request, response) => {
    answer(new URL(request.url ?? '/', 'http://localhost'), response).catch(() => response.destroy());
  });
  return primary === '' ? serving : Promise.race([serving, register()]);
};

import { createApiServer } from '../server/create-server.js';
import type { ApiServer, ApiServerOptions } from '../server/options.js';

export type StartApiServerOptions = ApiServerOptions & Required<Pick<ApiServerOptions, 'bindAddress' | 'securePort'>>;

export interface RunningApiServer extends Omit<ApiServer, 'listen'> {
  readonly port: number;
  /** How processes on this machine reach it, e.g. "https://127.0.0.1:6443". */
  readonly url: string;
  /** Ends watches cleanly, closes the store. */
  close(): Promise<void>;
}

/** @throws Error with one line when the address cannot be had; the store is closed then */
export async function startApiServer(options: StartApiServerOptions): Promise<RunningApiServer> {
  const { bindAddress, securePort } = options;
  const server = await createApiServer(options);
  try {
    const { port } = await server.listen();
    return { ...server, port, url: `https://${hostOf(bindAddress)}:${port}` };
  } catch (error) {
    await server.close();
    throw listenError(error, bindAddress, securePort);
  }
}

/** How processes on this machine reach a server that listens on `address`. */
export function hostOf(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}

/** An address that cannot be had, in one line; other errors as they are. */
export function listenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new Error(
      `port ${port} of ${host} is in use (address already in use); --secure-port takes another, 0 any free one`,
      { cause: error },
    );
  if (code === 'EACCES') return new Error(`port ${port} of ${host}: permission denied`, { cause: error });
  if (code === 'EADDRNOTAVAIL') return new Error(`${host} is no address of this machine`, { cause: error });
  return error;
}

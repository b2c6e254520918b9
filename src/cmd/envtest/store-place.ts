import { get } from 'node:http';
import type { Clock } from '../../machinery/clock.js';
import { FlagError } from '../process.js';
import { PLACE_PATH, type StorePlace } from './etcd-server.js';

const RETRY_MS = 50;
const PLACE_LIMIT_BYTES = 64 * 1024;

/** Asks the etcd beside us which folder it stands for, until it is there. @throws FlagError */
export async function storePlace(
  url: string,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<StorePlace> {
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:')
    throw new FlagError(
      `--etcd-servers: ${JSON.stringify(url)} is not supported: want the http URL of the etcd of "kubette envtest"`,
    );
  const until = clock.monotonic() + timeoutMs;
  for (;;) {
    try {
      const said = await ask(new URL(PLACE_PATH, url));
      if (said === undefined) break;
      return said;
    } catch (error) {
      if (clock.monotonic() > until)
        throw new FlagError(`--etcd-servers: ${url}: ${(error as Error).message}`, { cause: error });
      await clock.sleep(RETRY_MS, signal);
    }
  }
  throw new FlagError(`--etcd-servers: ${url} is not the etcd of "kubette envtest": no other store is supported`);
}

/** undefined: somebody else answers. @throws Error when nobody does */
const ask = (url: URL): Promise<StorePlace | undefined> =>
  new Promise((resolve, reject) => {
    const request = get(url, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > PLACE_LIMIT_BYTES) response.destroy(new Error('its answer is too long'));
      });
      response.once('error', reject);
      response.once('end', () => resolve(response.statusCode === 200 ? readPlace(text) : undefined));
    });
    request.once('error', reject);
  });

function readPlace(text: string): StorePlace | undefined {
  try {
    const said = JSON.parse(text) as Partial<StorePlace> | null;
    return typeof said?.dataDir === 'string' ? { dataDir: said.dataDir, fsync: said.fsync !== false } : undefined;
  } catch {
    // Not JSON: it is some other server.
    return undefined;
  }
}

/** Servers with different prefixes share an etcd. */
export const folderOf = (prefix: string): string =>
  ['kubette', ...prefix.split('/').filter(part => part !== '')].map(encodeURIComponent).join('-');

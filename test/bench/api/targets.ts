import { readFileSync } from 'node:fs';
import { endpointOf, type Endpoint } from './endpoint.js';
import { kubette } from './kubette.js';
import type { Target } from './target.js';
import { upstream } from './upstream.js';

/** Flags of a target that the suite does not start itself. */
export interface Against {
  readonly against?: string | undefined;
  readonly token?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** Comma separated: its processes, where they are on this machine. */
  readonly pid?: string | undefined;
}

function foreign(url: string, { token, ca, cert, key, insecure, pid }: Against): Target {
  if (ca === undefined && insecure !== true) throw new Error('--against wants --ca FILE or --insecure');
  if (token === undefined && cert === undefined) throw new Error('--against wants --token, or --cert and --key');
  const pem = (file: string | undefined): string | undefined =>
    file === undefined ? file : readFileSync(file, 'utf8');
  const given = Object.entries({ token, ca: pem(ca), cert: pem(cert), key: pem(key) });
  const known = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Omit<Endpoint, 'host' | 'port'>;
  return {
    name: new URL(url).host,
    server: {
      endpoint: endpointOf(url, known),
      pids: (pid ?? '').split(',').filter(Boolean).map(Number),
      tookMs: NaN,
      stop: async () => undefined,
    },
  };
}

/** Ours alone, ours and what is found in `bin`, or one that somebody else has started. */
export async function chooseTargets(against: Against, bin: string | undefined): Promise<Target[]> {
  if (against.against !== undefined) return [foreign(against.against, against)];
  if (bin === undefined) return [await kubette()];
  const peer = await upstream(bin);
  if (peer === undefined) throw new Error(`${bin} has no kube-apiserver and etcd`);
  return [await kubette(), peer];
}

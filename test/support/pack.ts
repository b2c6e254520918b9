import { spawnSync } from 'node:child_process';
import { ROOT } from './up.js';

/** What npm says of itself, and what it asks the registry for itself, is not the package's. */
export const NPM = { npm_config_update_notifier: 'false', npm_config_audit: 'false', npm_config_fund: 'false' };

export interface Packed {
  readonly filename: string;
  /** Bytes of the tarball, and of what is in it. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** The package as it is packed from what is built: `npm pack` builds before, which whoever runs this has done. */
export function pack(to: string): Packed {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', to];
  const { stdout, stderr, status } = spawnSync('npm', args, {
    cwd: ROOT,
    env: { ...process.env, ...NPM },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm pack: ${stderr}`);
  // One package; npm 12 names it.
  const said = JSON.parse(stdout) as Packed[] | Record<string, Packed>;
  const [packed] = Object.values(said);
  if (packed === undefined) throw new Error(`npm pack says ${stdout}`);
  return packed;
}

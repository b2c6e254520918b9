import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from '../support/pack.js';
import type { Row } from './table.js';

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** What somebody downloads and has on the disk: there is nothing else, as it depends on nothing that is not in it. */
export function packageSize(): Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'kubette-bench-package-'));
  try {
    const { size, unpackedSize, files } = pack(folder);
    return [
      { what: `package: tarball of ${files.length} files`, value: mb(size) },
      { what: 'package: installed', value: mb(unpackedSize) },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
  return rootAbove(above);
}

/** The repository's root, whether tests run from test/ or from build/test/. */
export const ROOT = rootAbove(import.meta.dirname);

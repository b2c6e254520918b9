import { access } from 'node:fs/promises';

/** A name that nothing has yet, for what is put aside: "store-damaged-1" of "store-damaged". */
export async function freeName(path: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = `${path}-${n}`;
    try {
      await access(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return name;
    }
  }
}

import { resolvePath } from '../../file-system.js';
import type { Process } from '../../process.js';

/** Certificate and key of a server, from files of the container. @throws FileError */
export async function readKeyPair(
  { container, cwd }: Process,
  certFile: string,
  keyFile: string,
): Promise<{ cert: string; key: string }> {
  const read = async (path: string): Promise<string> =>
    (await container.files.read(resolvePath(cwd, path))).toString('utf8');
  return { cert: await read(certFile), key: await read(keyFile) };
}

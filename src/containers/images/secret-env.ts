import { FileError, resolvePath } from '../file-system.js';
import type { Process } from '../process.js';

/** NAME of the environment, or what the file says that NAME_FILE names, as official images have it; "" when there is neither. */
export async function secretEnv({ container, env, cwd }: Process, name: string): Promise<string> {
  const file = env[`${name}_FILE`];
  if (env[name] !== undefined || file === undefined) return env[name] ?? '';
  try {
    return (await container.files.read(resolvePath(cwd, file))).toString('utf8').trimEnd();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new Error(`${file}: ${error.message}`);
  }
}

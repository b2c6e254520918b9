import { generateKeyPair } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const generateKeyPairAsync = promisify(generateKeyPair);

export const SERVICE_ACCOUNT_KEY = 'sa.key';

/** A new key as PEM, which takes 70 to 400 ms of another thread: RS256 is what all that read service account tokens know. */
export async function newServiceAccountKey(): Promise<string> {
  const { privateKey } = await generateKeyPairAsync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

/**
 * Begins to make the key of a data folder that has none, for `PkiOptions.newServiceAccountKey`. A command does so before
 * it loads what it runs: a start that waits for the key when everything else is there takes a third longer.
 */
export function serviceAccountKeyInAdvance(dataDir: string): () => Promise<string> {
  if (existsSync(join(dataDir, 'pki', SERVICE_ACCOUNT_KEY))) return newServiceAccountKey;
  const key = newServiceAccountKey();
  // Who asks for it is told; who never does has another problem to tell of.
  key.catch(() => undefined);
  return () => key;
}

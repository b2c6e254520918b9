import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { realClock } from '../../machinery/clock.js';
import { signingKey, verifyingKey } from '../../machinery/jwt.js';
import { readFileIfThere, keysInMemory } from '../../cluster/keys/files.js';
import { createPki, type Pki } from '../../cluster/keys/pki.js';
import { fileFlag } from '../apiserver-settings.js';
import { FlagError } from '../process.js';

/** PEM blocks of a file, one by one: it may hold several keys. */
const pemBlocks = (text: string): string[] =>
  text.split(/(?=-----BEGIN )/).filter(block => block.startsWith('-----BEGIN '));

/** The keys of ServiceAccount tokens that the flags name. @throws FlagError */
export async function tokenKeys(
  signingFile: string,
  verifyingFiles: readonly string[],
): Promise<{ signing: string; verifying: string[] }> {
  const readable = async (flag: string, path: string, use: (pem: string) => void): Promise<string[]> => {
    const blocks = pemBlocks((await fileFlag(flag, path)) ?? '').filter(
      block => !block.startsWith('-----BEGIN EC PARAMETERS'),
    );
    try {
      if (blocks.length === 0) throw new Error('data does not contain any valid RSA or ECDSA keys');
      blocks.forEach(use);
    } catch (error) {
      throw new FlagError(`--${flag}: failed to parse ${path}: ${(error as Error).message}`, { cause: error });
    }
    return blocks;
  };
  const [signing = ''] = await readable('service-account-signing-key-file', signingFile, signingKey);
  const verifying: string[] = [];
  for (const path of verifyingFiles)
    verifying.push(...(await readable('service-account-key-file', path, verifyingKey)));
  // Upstream verifies with the signing key when no other is named.
  return { signing, verifying: verifying.length > 0 ? verifying : [signing] };
}

/** Keys of a server that leaves none behind. */
export async function temporaryKeys(signing: string, serverNames: readonly string[]): Promise<Pki> {
  const files = keysInMemory();
  await files.write('sa.key', signing, 0o600);
  return createPki(files, { clock: realClock, serverNames });
}

/**
 * The pair that --cert-dir holds; where there is none, ours is written there with the CA behind it, as upstream does with
 * its self-signed one.
 */
export async function servingPair(certDir: string, pki: Pki): Promise<{ cert: string; key: string }> {
  const [certFile, keyFile] = [join(certDir, 'apiserver.crt'), join(certDir, 'apiserver.key')];
  const [cert, key] = await Promise.all([readFileIfThere(certFile), readFileIfThere(keyFile)]);
  if (cert !== undefined && key !== undefined) return { cert, key };
  const own = { cert: pki.serving.cert + pki.ca.cert, key: pki.serving.key };
  await mkdir(certDir, { recursive: true });
  await Promise.all([writeFile(certFile, own.cert, { mode: 0o644 }), writeFile(keyFile, own.key, { mode: 0o600 })]);
  return own;
}

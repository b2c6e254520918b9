import { certificatesOf } from '../../machinery/x509/authorities.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import { trimEnd } from '../../machinery/trim.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { ensure, keyOf, selfContext, type BootstrapOptions } from './ensure.js';
import type { SystemObject } from './system-objects.js';

/** How often it is looked for; upstream looks whenever it changes and every minute. */
const CHECK_MS = 10_000;

type Data = Readonly<Record<string, string>>;
type Trust = Pick<BootstrapOptions, 'clientCa' | 'requestHeader'>;

/** PEM of both bundles, each certificate once, those that have expired left out. */
function combinedCertificates(there: string | undefined, own: string, nowMs: number): string {
  const unique = new Map<string, string>();
  let known: ReturnType<typeof certificatesOf>;
  try {
    known = certificatesOf(there ?? '');
  } catch {
    // What somebody has written there is no certificate: nobody can trust it.
    known = [];
  }
  for (const certificate of [...known, ...certificatesOf(own)])
    if (Date.parse(certificate.validTo) > nowMs) unique.set(certificate.fingerprint256, certificate.toString());
  return [...unique.values()].map(pem => `${trimEnd(pem, '\n')}\n`).join('');
}

function stringsIn(text: string | undefined): string[] {
  try {
    const value = JSON.parse(text ?? '[]') as unknown;
    return Array.isArray(value) ? value.filter(entry => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}

const combinedNames = (there: string | undefined, own: readonly string[]): string =>
  JSON.stringify([...new Set([...stringsIn(there), ...own])]);

/**
 * Whom extension API servers trust: users' certificates, and front proxies with what their headers say. Several servers
 * write it, so each adds its own to what is there (pkg/controlplane/controller/clusterauthenticationtrust).
 */
export function trustData(there: Data, { clientCa, requestHeader }: Trust, nowMs: number): Data {
  const names = (key: string, own: readonly string[]): Data =>
    own.length === 0 && there[key] === undefined ? {} : { [key]: combinedNames(there[key], own) };
  const always = (key: string, own: readonly string[]): Data => ({ [key]: combinedNames(there[key], own) });
  return {
    'client-ca-file': combinedCertificates(there['client-ca-file'], clientCa, nowMs),
    ...always('requestheader-username-headers', requestHeader.usernameHeaders),
    ...names('requestheader-uid-headers', requestHeader.uidHeaders),
    ...always('requestheader-group-headers', requestHeader.groupHeaders),
    ...always('requestheader-extra-headers-prefix', requestHeader.extraHeaderPrefixes),
    'requestheader-client-ca-file': combinedCertificates(
      there['requestheader-client-ca-file'],
      requestHeader.clientCa,
      nowMs,
    ),
    ...always('requestheader-allowed-names', requestHeader.allowedNames),
  };
}

const configMap = (data: Data): SystemObject => ({
  resource: 'configmaps',
  object: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data,
  },
});

/** Makes the ConfigMap that extension API servers read, or brings it to what this server trusts. */
export async function ensureAuthenticationTrust(options: BootstrapOptions): Promise<void> {
  const { objects, clock, signal } = options;
  const wanted = configMap(trustData({}, options, clock.now()));
  const stored: DeepReadonly<KubeObject & { data?: Data }> | undefined = objects.get(wanted.resource, keyOf(wanted));
  if (stored === undefined) return ensure(options, wanted);
  if (stored.metadata.deletionTimestamp !== undefined) return;
  const combined = (data: Data): Data => trustData(data, options, clock.now());
  if (jsonEqual(stored.data ?? {}, combined(stored.data ?? {}))) return;
  await objects.update(selfContext(objects, clock, signal), wanted.resource, keyOf(wanted), object => {
    object['data'] = combined((object['data'] ?? {}) as Data);
  });
}

/** Puts it right again whenever somebody has changed it; runs until the signal. */
export async function keepAuthenticationTrust(options: BootstrapOptions): Promise<void> {
  const { clock, signal, log } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(CHECK_MS, signal);
      await ensureAuthenticationTrust(options);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error }, 'could not publish whom extension API servers may trust');
    }
  }
}

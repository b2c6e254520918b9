import type { Pki } from '../cluster/keys/pki.js';
import type { KeyPair } from '../machinery/x509/certificate.js';
import type { RequestHeaderOptions } from '../server/auth/authn/request-header.js';
import { FRONT_PROXY_CLIENT, type ApiServerOptions } from '../server/options.js';
import { booleanFlag, checkTls, fileFlag, text, type Flags } from './apiserver-settings.js';
import { FlagError } from './process.js';

const namesFlag = (flags: Flags, name: string): string[] => {
  const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const names = text(flags, key)
    .split(',')
    .filter(value => value !== '');
  if (names.some(value => value.trim() === ''))
    throw new FlagError(`--${name} cannot have an empty or whitespace-only value`);
  return names.map(value => value.trim());
};

/** Front proxies: those of a CA that was named, or of the cluster's own. @throws FlagError */
async function requestHeaderFlags(flags: Flags, pki: Pki): Promise<RequestHeaderOptions> {
  const clientCa = await fileFlag('requestheader-client-ca-file', text(flags, 'requestheaderClientCaFile'));
  checkTls('requestheader-client-ca-file', { ca: clientCa });
  const allowed = flags['requestheaderAllowedNames'];
  return {
    clientCa: clientCa ?? pki.frontProxyCa.cert,
    allowedNames:
      allowed === undefined && clientCa === undefined
        ? [FRONT_PROXY_CLIENT]
        : namesFlag(flags, 'requestheader-allowed-names'),
    usernameHeaders: namesFlag(flags, 'requestheader-username-headers'),
    uidHeaders: namesFlag(flags, 'requestheader-uid-headers'),
    groupHeaders: namesFlag(flags, 'requestheader-group-headers'),
    extraHeaderPrefixes: namesFlag(flags, 'requestheader-extra-headers-prefix'),
  };
}

/** What is shown to aggregated APIs and webhooks; undefined: what the data folder has. @throws FlagError */
async function proxyClientFlags(flags: Flags): Promise<KeyPair | undefined> {
  const cert = await fileFlag('proxy-client-cert-file', text(flags, 'proxyClientCertFile'));
  const key = await fileFlag('proxy-client-key-file', text(flags, 'proxyClientKeyFile'));
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new FlagError('--proxy-client-cert-file and --proxy-client-key-file go together');
  checkTls('proxy-client-cert-file and --proxy-client-key-file', { cert, key });
  return { cert, key };
}

/** All that concerns aggregation: who is believed, who this server is, and how it gets there. @throws FlagError */
export async function frontProxyFlags(
  flags: Flags,
  pki: Pki,
): Promise<Pick<ApiServerOptions, 'requestHeader' | 'proxyClient' | 'aggregatorRouting'>> {
  const proxyClient = await proxyClientFlags(flags);
  return {
    requestHeader: await requestHeaderFlags(flags, pki),
    aggregatorRouting: booleanFlag('enable-aggregator-routing', text(flags, 'enableAggregatorRouting')),
    ...(proxyClient === undefined ? {} : { proxyClient }),
  };
}

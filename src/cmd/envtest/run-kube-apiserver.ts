import { join } from 'node:path';
import { realClock } from '../../machinery/clock.js';
import { parseDuration } from '../../machinery/duration.js';
import { startApiServer } from '../../cluster/api-server.js';
import { openFolderStore } from '../../cluster/store.js';
import { firstServiceAddresses } from '../../server/service-range.js';
import { versionInfo } from '../../server/endpoints/version.js';
import { apiServerSettings, type Flags } from '../apiserver-settings.js';
import { frontProxyFlags } from '../front-proxy-flags.js';
import { createLogger } from '../logger.js';
import { FlagError, signalOnTermination, untilAborted } from '../process.js';
import { checkFeatureGates } from './feature-gates.js';
import { helpText, parseFlags, type ParsedFlags } from './flags.js';
import { KUBE_APISERVER_FLAGS } from './kube-apiserver-flags.js';
import { servingPair, temporaryKeys, tokenKeys } from './keys.js';
import { checkRuntimeConfig, servedVersions } from './runtime-config.js';
import { folderOf, storePlace } from './store-place.js';

/** Where Pods reach this machine, in each IP family. */
const ADVERTISED = { IPv4: '172.18.0.1', IPv6: 'fc00:f853:ccd:e793::1' } as const;
const DEFAULT_RANGE = '10.0.0.0/24';

type Values = ParsedFlags['values'];

const last = (values: Values, name: string): string => {
  const standard = KUBE_APISERVER_FLAGS.honoured[name];
  return values.get(name)?.at(-1) ?? (standard === undefined ? '' : String(standard));
};

/** klog's levels: 0 is what always counts, 4 is for who debugs. */
const logLevel = (v: string): string => (Number(v) >= 6 ? 'debug' : Number(v) >= 4 ? 'info' : 'warn');

const camelCase = (name: string): string => name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The flags as `kubette apiserver` reads them, with kube-apiserver's defaults where those differ. */
function flagsOf(values: Values): Flags {
  const given = Object.keys(KUBE_APISERVER_FLAGS.honoured).map(name => {
    const value =
      name.endsWith('-plugins') || name === 'authorization-mode'
        ? (values.get(name) ?? []).join(',')
        : last(values, name);
    return [camelCase(name), value] as const;
  });
  const flags = Object.fromEntries(given);
  const range = last(values, 'service-cluster-ip-range') || DEFAULT_RANGE;
  const modes = flags['authorizationMode'] || 'AlwaysAllow';
  return {
    ...flags,
    v: logLevel(last(values, 'v')),
    serviceClusterIpRange: range,
    shutdownDelayDuration: last(values, 'shutdown-delay-duration') || '0s',
    authorizationMode: modes,
    // Upstream turns anonymous requests off where everybody may do everything.
    anonymousAuth: modes === 'AlwaysAllow' ? 'false' : last(values, 'anonymous-auth'),
    advertiseAddress:
      last(values, 'advertise-address') ||
      (range.includes(':', 0) && !range.includes('.') ? ADVERTISED.IPv6 : ADVERTISED.IPv4),
  };
}

/** What upstream says about required flags, one at a time. @throws FlagError */
function checkRequired(values: Values): void {
  if (last(values, 'insecure-port') !== '0')
    throw new FlagError('--insecure-port is not supported: Invalid value: it can only be 0');
  if (last(values, 'etcd-servers') === '') throw new FlagError('--etcd-servers must be specified');
  if (last(values, 'service-account-signing-key-file') === '' || last(values, 'service-account-issuer') === '')
    throw new FlagError('--service-account-signing-key-file and --service-account-issuer are required flags');
}

/** kube-apiserver by its own flags, over the folder of the etcd beside it. Serves until SIGINT or SIGTERM. */
export async function runKubeApiServer(args: readonly string[]): Promise<void> {
  const { values, warnings, help, version } = parseFlags(KUBE_APISERVER_FLAGS, args);
  if (help) return void process.stdout.write(helpText(KUBE_APISERVER_FLAGS));
  if (version) return void process.stdout.write(`Kubernetes ${versionInfo.gitVersion}\n`);
  checkRequired(values);
  const signal = signalOnTermination();
  const gates = checkFeatureGates((values.get('feature-gates') ?? []).join(','));
  const apis = checkRuntimeConfig((values.get('runtime-config') ?? []).join(','), servedVersions());
  for (const warning of [...warnings, ...gates, ...apis]) process.stderr.write(`kube-apiserver: ${warning}\n`);
  const flags = flagsOf(values);
  const log = await createLogger('kube-apiserver', {
    level: String(flags['v']),
    format: last(values, 'logging-format'),
  });
  const timeoutMs = parseDuration(last(values, 'storage-initialization-timeout')) ?? 60_000;
  const settings = await apiServerSettings(flags, log);
  const signingFile = last(values, 'service-account-signing-key-file');
  const { signing, verifying } = await tokenKeys(signingFile, values.get('service-account-key-file') ?? []);
  const place = await storePlace(last(values, 'etcd-servers'), timeoutMs, realClock, signal);
  const names = [
    ...firstServiceAddresses(settings.serviceClusterIpRange),
    settings.advertiseAddress,
    settings.bindAddress,
  ];
  const [pki, store] = await Promise.all([
    temporaryKeys(signing, names),
    openFolderStore(join(place.dataDir, folderOf(last(values, 'etcd-prefix'))), {
      clock: realClock,
      fsync: place.fsync,
    }),
  ]);
  const audiences = (values.get('api-audiences') ?? []).flatMap(text => text.split(','));
  const server = await startApiServer({
    servingCertificate: await servingPair(last(values, 'cert-dir'), pki),
    ...settings,
    store,
    pki: { ...pki, serviceAccountVerifyingKeys: verifying },
    log,
    ...(await frontProxyFlags(flags, pki)),
    ...(audiences.length === 0 ? {} : { apiAudiences: audiences }),
  });
  await untilAborted(signal);
  await server.close();
  process.exit(0);
}

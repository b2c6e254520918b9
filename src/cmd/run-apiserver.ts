import type { Logger } from '../machinery/logger.js';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { realClock } from '../machinery/clock.js';
import type { KeyPair } from '../machinery/x509/certificate.js';
import { parsePortRange, type PortRange } from '../kinds/core/port-allocator.js';
import type { UserInfo } from '../api/strategy.js';
import { parseTokenFile } from '../server/auth/authn/token-file.js';
import { startApiServer } from '../cluster/api-server.js';
import { ensureDataFolder } from '../cluster/data-folder.js';
import { lockFolder } from '../cluster/folder-lock.js';
import { ADMIN, COMPONENTS, ensureKubeconfig, ensureNodeCredentials } from '../cluster/keys/kubeconfig.js';
import { ensurePki, type Pki } from '../cluster/keys/pki.js';
import { openFolderStore, openMemoryStore, STORAGE_DRIVERS } from '../cluster/store.js';
import { pluginListProblem } from '../server/admission/names.js';
import type { AuditSink } from '../server/audit/auditor.js';
import { createLogFile } from '../server/audit/log-file.js';
import { AuditPolicyError, parseAuditPolicy, type AuditPolicy } from '../server/audit/policy.js';
import type { RequestHeaderOptions } from '../server/auth/authn/request-header.js';
import { FRONT_PROXY_CLIENT, type ApiServerOptions } from '../server/options.js';
import { AUTHORIZATION_MODES, type AuthorizationMode } from '../server/security.js';
import { advertiseProblem, firstServiceAddresses, serviceRangeProblem } from '../server/service-range.js';
import type { KvStore } from '../storage/kv-store.js';
import { createLogger } from './logger.js';
import { fail, FlagError, integerFlag, invalidArgument, signalOnTermination, untilAborted } from './process.js';

type Flags = Readonly<Record<string, string | boolean | undefined>>;

const text = (flags: Flags, name: string): string => {
  const value = flags[name];
  return typeof value === 'string' ? value : '';
};

const ETCD_FLAGS = ['etcdServers', 'etcdPrefix', 'etcdCafile', 'etcdCertfile', 'etcdKeyfile'];

function refuseEtcd(flags: Flags): void {
  for (const name of ETCD_FLAGS) {
    if (flags[name] === undefined) continue;
    const flag = name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`);
    throw new FlagError(`--${flag} is not supported: the store is a folder, see --data-dir and --storage`);
  }
}

function modesFlag(value: string): AuthorizationMode[] {
  return value.split(',').map(name => {
    const mode = AUTHORIZATION_MODES.find(m => m === name.trim());
    if (mode === undefined)
      throw new FlagError(
        `invalid --authorization-mode ${JSON.stringify(name)}: want a list of ${AUTHORIZATION_MODES.join(', ')}`,
      );
    return mode;
  });
}

function booleanFlag(name: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalidArgument(name, value, 'want true or false');
}

function rangeFlag(value: string): PortRange {
  const range = parsePortRange(value);
  if (range === undefined)
    throw new FlagError(`invalid --service-node-port-range ${JSON.stringify(value)}: want e.g. 30000-32767`);
  return range;
}

function cidrFlag(value: string): string {
  const problem = serviceRangeProblem(value);
  if (problem !== undefined) throw new FlagError(problem);
  return value;
}

function addressFlag(name: string, value: string): string {
  if (isIP(value) === 0) throw invalidArgument(name, value, 'want an IP address');
  return value;
}

/** The file behind a flag. @throws FlagError */
async function fileFlag(name: string, path: string): Promise<string | undefined> {
  if (path === '') return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FlagError(`--${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws FlagError when OpenSSL cannot use what the files hold */
function checkTls(flags: string, pems: Record<string, string | undefined>): void {
  const given = Object.fromEntries(Object.entries(pems).filter(([, pem]) => pem !== undefined));
  try {
    createSecureContext(given);
  } catch (error) {
    throw new FlagError(`--${flags}: not usable: ${(error as Error).message}`, { cause: error });
  }
}

async function openStore(flags: Flags): Promise<KvStore> {
  const driver = text(flags, 'storage');
  if (driver === 'memory') return openMemoryStore(realClock);
  if (driver !== 'leveldb')
    throw new FlagError(`invalid --storage ${JSON.stringify(driver)}: want ${STORAGE_DRIVERS.join(' or ')}`);
  const acceptDataLoss = (loss: string): void => void process.stderr.write(`kubette apiserver: ${loss}\n`);
  return openFolderStore(text(flags, 'dataDir'), {
    clock: realClock,
    ...(flags['acceptDataLoss'] === true ? { acceptDataLoss } : {}),
  });
}

const MEGABYTE = 1024 * 1024;
const DAY_MS = 86_400_000;
/** What a file of the log holds when --audit-log-maxsize does not say. */
const DEFAULT_LOG_MEGABYTES = 100;

const stdoutSink: AuditSink = {
  write: event => void process.stdout.write(`${JSON.stringify(event)}\n`),
  flush: () => new Promise(resolve => process.stdout.write('', () => resolve())),
};

async function auditFlags(flags: Flags, log: Logger): Promise<ApiServerOptions['audit']> {
  const policyPath = text(flags, 'auditPolicyFile');
  const path = text(flags, 'auditLogPath');
  const format = text(flags, 'auditLogFormat');
  if (format !== '' && format !== 'json')
    throw new FlagError(`invalid --audit-log-format ${JSON.stringify(format)}: only json is supported`);
  const number = (name: string, key: string): number =>
    integerFlag(name, text(flags, key) || '0', 0, Number.MAX_SAFE_INTEGER);
  const megabytes = number('audit-log-maxsize', 'auditLogMaxsize');
  const rotation = {
    maxBytes: (megabytes || DEFAULT_LOG_MEGABYTES) * MEGABYTE,
    maxBackups: number('audit-log-maxbackup', 'auditLogMaxbackup'),
    maxAgeMs: number('audit-log-maxage', 'auditLogMaxage') * DAY_MS,
  };
  const policyText = await fileFlag('audit-policy-file', policyPath);
  let policy: AuditPolicy | undefined;
  try {
    policy = policyText === undefined ? undefined : parseAuditPolicy(policyText);
  } catch (error) {
    if (!(error instanceof AuditPolicyError)) throw error;
    throw new FlagError(`--audit-policy-file: loading audit policy file: ${error.message}: from file ${policyPath}`, {
      cause: error,
    });
  }
  if (path === '') return undefined;
  const sink =
    path === '-'
      ? stdoutSink
      : await createLogFile(path, rotation, realClock, err => log.error({ err }, 'could not write the audit log'));
  return { sink, ...(policy === undefined ? {} : { policy }) };
}

/** Admission plugins that are off. @throws FlagError */
function pluginsFlag(flags: Flags): string[] {
  const names = (key: string): string[] =>
    text(flags, key)
      .split(',')
      .filter(name => name !== '');
  const disabled = names('disableAdmissionPlugins');
  const problem = pluginListProblem(names('enableAdmissionPlugins'), disabled);
  if (problem !== undefined) throw new FlagError(problem);
  return disabled;
}

async function tokensFlag(path: string): Promise<ReadonlyMap<string, UserInfo>> {
  const content = await fileFlag('token-auth-file', path);
  return content === undefined ? new Map() : parseTokenFile(path, content);
}

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

/** @throws FlagError */
async function proxyClientFlags(flags: Flags): Promise<KeyPair | undefined> {
  const cert = await fileFlag('proxy-client-cert-file', text(flags, 'proxyClientCertFile'));
  const key = await fileFlag('proxy-client-key-file', text(flags, 'proxyClientKeyFile'));
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new FlagError('--proxy-client-cert-file and --proxy-client-key-file go together');
  checkTls('proxy-client-cert-file and --proxy-client-key-file', { cert, key });
  return { cert, key };
}

/** Serves until SIGINT or SIGTERM; exits with 1 and one line when it cannot start. */
export async function runApiServer(flags: Flags): Promise<void> {
  const signal = signalOnTermination();
  const log = createLogger('apiserver', { level: text(flags, 'v'), format: text(flags, 'loggingFormat') });
  try {
    refuseEtcd(flags);
    const dataDir = text(flags, 'dataDir');
    const bindAddress = addressFlag('bind-address', text(flags, 'bindAddress'));
    const serviceClusterIpRange = cidrFlag(text(flags, 'serviceClusterIpRange'));
    const advertiseAddress = addressFlag('advertise-address', text(flags, 'advertiseAddress'));
    const mismatch = advertiseProblem(serviceClusterIpRange, advertiseAddress);
    if (mismatch !== undefined) throw new FlagError(mismatch);
    const settings = {
      bindAddress,
      advertiseAddress,
      serviceClusterIpRange,
      securePort: integerFlag('secure-port', text(flags, 'securePort'), 0, 65535),
      serviceNodePortRange: rangeFlag(text(flags, 'serviceNodePortRange')),
      anonymousAuth: booleanFlag('anonymous-auth', text(flags, 'anonymousAuth')),
      authorizationModes: modesFlag(text(flags, 'authorizationMode')),
      serviceAccountIssuer: text(flags, 'serviceAccountIssuer'),
      disabledAdmission: pluginsFlag(flags),
      tokens: await tokensFlag(text(flags, 'tokenAuthFile')),
    };
    const cert = await fileFlag('tls-cert-file', text(flags, 'tlsCertFile'));
    const key = await fileFlag('tls-private-key-file', text(flags, 'tlsPrivateKeyFile'));
    if ((cert === undefined) !== (key === undefined))
      throw new FlagError('--tls-cert-file and --tls-private-key-file go together');
    checkTls('tls-cert-file and --tls-private-key-file', { cert, key });
    const clientCa = await fileFlag('client-ca-file', text(flags, 'clientCaFile'));
    checkTls('client-ca-file', { ca: clientCa });
    const proxyClient = await proxyClientFlags(flags);
    const aggregatorRouting = booleanFlag('enable-aggregator-routing', text(flags, 'enableAggregatorRouting'));
    const audit = await auditFlags(flags, log);

    await ensureDataFolder(dataDir);
    const lock = flags['folderLocked'] === true ? undefined : await lockFolder(dataDir);
    const store = await openStore(flags);
    const pki = await ensurePki(dataDir, {
      clock: realClock,
      serverNames: [...firstServiceAddresses(serviceClusterIpRange), advertiseAddress, bindAddress],
    });
    const server = await startApiServer({
      ...settings,
      store,
      pki,
      log,
      aggregatorRouting,
      requestHeader: await requestHeaderFlags(flags, pki),
      ...(proxyClient === undefined ? {} : { proxyClient }),
      ...(audit === undefined ? {} : { audit }),
      ...(clientCa === undefined ? {} : { clientCa }),
      ...(cert === undefined || key === undefined ? {} : { servingCertificate: { cert, key } }),
    });
    const { url } = server;
    await lock?.serving(url);
    for (const identity of [ADMIN, ...COMPONENTS]) await ensureKubeconfig(dataDir, pki, identity, url);
    for (const node of text(flags, 'nodeCredentials')
      .split(',')
      .filter(name => name !== ''))
      await ensureNodeCredentials(dataDir, pki, url, node, ['127.0.0.1']);
    if (flags['quiet'] !== true) process.stdout.write(`serving on ${url}\n`);
    await untilAborted(signal);
    await server.close();
    process.exit(0);
  } catch (error) {
    fail('apiserver', error);
  }
}

import type { Logger } from '../machinery/logger.js';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { realClock } from '../machinery/clock.js';
import { parsePortRange, type PortRange } from '../kinds/core/port-allocator.js';
import type { UserInfo } from '../api/strategy.js';
import { parseTokenFile } from '../server/auth/authn/token-file.js';
import type { StartApiServerOptions } from '../cluster/api-server.js';
import { pluginListProblem } from '../server/admission/names.js';
import type { AuditSink } from '../server/audit/auditor.js';
import { createLogFile } from '../server/audit/log-file.js';
import { AuditPolicyError, parseAuditPolicy, type AuditPolicy } from '../server/audit/policy.js';
import {
  EncryptionConfigError,
  parseEncryptionConfiguration,
  type EncryptionConfiguration,
} from '../server/encryption/configuration.js';
import { createTransformers } from '../server/encryption/transformers.js';
import type { ApiServerOptions } from '../server/options.js';
import { AUTHORIZATION_MODES, type AuthorizationMode } from '../server/security.js';
import { advertiseProblem, serviceRangeProblem } from '../server/service-range.js';
import { durationFlag, FlagError, integerFlag, invalidArgument } from './process.js';

/** Flags by their names in camelCase, as commander gives them. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

export const text = (flags: Flags, name: string): string => {
  const value = flags[name];
  return typeof value === 'string' ? value : '';
};

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

export function booleanFlag(name: string, value: string): boolean {
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
export async function fileFlag(name: string, path: string): Promise<string | undefined> {
  if (path === '') return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FlagError(`--${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws FlagError when OpenSSL cannot use what the files hold */
export function checkTls(flags: string, pems: Record<string, string | undefined>): void {
  const given = Object.fromEntries(Object.entries(pems).filter(([, pem]) => pem !== undefined));
  try {
    createSecureContext(given);
  } catch (error) {
    throw new FlagError(`--${flags}: not usable: ${(error as Error).message}`, { cause: error });
  }
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

/** @throws FlagError */
async function encryptionFlags(flags: Flags): Promise<Pick<ApiServerOptions, 'encryption' | 'encryptionFile'>> {
  const file = text(flags, 'encryptionProviderConfig');
  const reload = 'encryption-provider-config-automatic-reload';
  const reloads = booleanFlag(reload, text(flags, 'encryptionProviderConfigAutomaticReload'));
  const content = await fileFlag('encryption-provider-config', file);
  if (content === undefined) {
    if (reloads) throw new FlagError(`--${reload} must be set with --encryption-provider-config`);
    return {};
  }
  const encryptionFile = { path: file, content, read: () => readFile(file, 'utf8') };
  return { encryption: encryptionIn(file, content), ...(reloads ? { encryptionFile } : {}) };
}

/** What --encryption-provider-config says, for commands that only read. @throws FlagError */
export async function encryptionOf(flags: Flags): Promise<EncryptionConfiguration | undefined> {
  const file = text(flags, 'encryptionProviderConfig');
  const content = await fileFlag('encryption-provider-config', file);
  return content === undefined ? undefined : encryptionIn(file, content);
}

function encryptionIn(file: string, content: string): EncryptionConfiguration {
  try {
    const configuration = parseEncryptionConfiguration(file, content);
    createTransformers(configuration);
    return configuration;
  } catch (error) {
    if (!(error instanceof EncryptionConfigError)) throw error;
    throw new FlagError(`--encryption-provider-config: ${error.message}`, { cause: error });
  }
}

/** Upstream's checks, in its words. @throws FlagError */
function limitFlags(
  flags: Flags,
): Required<Pick<ApiServerOptions, 'inFlightLimits' | 'priorityAndFairness' | 'shutdownDelayMs'>> {
  const count = (name: string, key: string): number => {
    if (text(flags, key).startsWith('-')) throw new FlagError(`--${name} can not be negative value`);
    return integerFlag(name, text(flags, key), 0, 2 ** 31 - 1);
  };
  const reading = count('max-requests-inflight', 'maxRequestsInflight');
  const writing = count('max-mutating-requests-inflight', 'maxMutatingRequestsInflight');
  const priorityAndFairness = booleanFlag('enable-priority-and-fairness', text(flags, 'enablePriorityAndFairness'));
  if (priorityAndFairness && reading + writing === 0)
    throw new FlagError(
      'invalid configuration: MaxRequestsInFlight=0 and MaxMutatingRequestsInFlight=0; they must add up to something positive',
    );
  const shutdownDelayMs = durationFlag('shutdown-delay-duration', text(flags, 'shutdownDelayDuration'));
  if (shutdownDelayMs < 0) throw new FlagError('--shutdown-delay-duration can not be negative value');
  return { inFlightLimits: { reading, writing }, priorityAndFairness, shutdownDelayMs };
}

/** What an API server is told but for where it keeps things: all but store, keys and log. */
export type ApiServerSettings = Omit<StartApiServerOptions, 'store' | 'pki' | 'log'> &
  Required<Pick<StartApiServerOptions, 'serviceClusterIpRange' | 'advertiseAddress'>>;

/** Reads the flags of an API server, and the files that they name. @throws FlagError */
export async function apiServerSettings(flags: Flags, log: Logger): Promise<ApiServerSettings> {
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
    ...(flags['advertisePort'] === undefined
      ? {}
      : { advertisePort: integerFlag('advertise-port', text(flags, 'advertisePort'), 1, 65535) }),
    serviceNodePortRange: rangeFlag(text(flags, 'serviceNodePortRange')),
    anonymousAuth: booleanFlag('anonymous-auth', text(flags, 'anonymousAuth')),
    authorizationModes: modesFlag(text(flags, 'authorizationMode')),
    serviceAccountIssuer: text(flags, 'serviceAccountIssuer'),
    disabledAdmission: pluginsFlag(flags),
    ...limitFlags(flags),
    tokens: await tokensFlag(text(flags, 'tokenAuthFile')),
  };
  const cert = await fileFlag('tls-cert-file', text(flags, 'tlsCertFile'));
  const key = await fileFlag('tls-private-key-file', text(flags, 'tlsPrivateKeyFile'));
  if ((cert === undefined) !== (key === undefined))
    throw new FlagError('--tls-cert-file and --tls-private-key-file go together');
  checkTls('tls-cert-file and --tls-private-key-file', { cert, key });
  const clientCa = await fileFlag('client-ca-file', text(flags, 'clientCaFile'));
  checkTls('client-ca-file', { ca: clientCa });
  const audit = await auditFlags(flags, log);
  const encryption = await encryptionFlags(flags);
  return {
    ...settings,
    ...(audit === undefined ? {} : { audit }),
    ...encryption,
    ...(clientCa === undefined ? {} : { clientCa }),
    ...(cert === undefined || key === undefined ? {} : { servingCertificate: { cert, key } }),
  };
}

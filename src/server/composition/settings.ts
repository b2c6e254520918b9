import { realClock } from '../../machinery/clock.js';
import { SILENT } from '../../machinery/logger.js';
import { realRandom } from '../../machinery/random.js';
import type { UserInfo } from '../../api/strategy.js';
import type { ApiServerOptions } from '../options.js';

const DEFAULTS = {
  clock: realClock,
  random: realRandom,
  log: SILENT,
  tokens: new Map<string, UserInfo>(),
  bindAddress: '127.0.0.1',
  securePort: 0,
  advertiseAddress: '172.18.0.1',
  serviceClusterIpRange: '10.96.0.0/16',
  serviceNodePortRange: { first: 30000, last: 32767 },
  anonymousAuth: true,
  authorizationModes: ['Node', 'RBAC'],
  disabledAdmission: [],
  serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
  aggregatorRouting: false,
  inFlightLimits: { reading: 400, writing: 200 },
  priorityAndFairness: true,
  shutdownDelayMs: 0,
} as const satisfies Partial<ApiServerOptions>;

/** What a server is told, with what it need not be told. */
export type Settings = ApiServerOptions &
  Required<Pick<ApiServerOptions, keyof typeof DEFAULTS | 'servingCertificate' | 'proxyClient'>>;

export const settingsOf = (options: ApiServerOptions): Settings => ({
  ...DEFAULTS,
  servingCertificate: options.pki.serving,
  proxyClient: options.pki.frontProxyClient,
  ...options,
});

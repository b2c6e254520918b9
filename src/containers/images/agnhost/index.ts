import type { Program } from '../../process.js';
import type { KeyPair } from '../../../machinery/x509/certificate.js';
import type { KnownImage } from '../types.js';
import { selfSigned } from '../self-signed.js';
import { parseFlags, type Subcommand } from './command.js';
import { crdConversionWebhook } from './crd-conversion-webhook.js';
import { grpcHealthChecking } from './grpc-health.js';
import { guestbook } from './guestbook.js';
import { testServiceAccountIssuerDiscovery } from './issuer-discovery.js';
import { mounttest } from './mounttest.js';
import { netexec } from './netexec.js';
import { fakeGitServer, liveness, nettest, porter, serveHostname, testWebserver } from './servers.js';
import {
  connect,
  dnsServerList,
  dnsSuffix,
  entrypointTester,
  etcHosts,
  inClusterClient,
  logsGenerator,
  pause,
} from './tools.js';
import { webhook } from './webhook.js';

/** The subcommands of the Kubernetes test image, by name. */
const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  connect,
  'crd-conversion-webhook': crdConversionWebhook,
  'dns-server-list': dnsServerList,
  'dns-suffix': dnsSuffix,
  'entrypoint-tester': entrypointTester,
  'etc-hosts': etcHosts,
  'fake-gitserver': fakeGitServer,
  'grpc-health-checking': grpcHealthChecking,
  guestbook,
  inclusterclient: inClusterClient,
  liveness,
  'logs-generator': logsGenerator,
  mounttest,
  netexec,
  nettest,
  pause,
  porter,
  'serve-hostname': serveHostname,
  'test-service-account-issuer-discovery': testServiceAccountIssuerDiscovery,
  'test-webserver': testWebserver,
  webhook,
};

const agnhostProgram: Program = async process => {
  const [, name = '', ...rest] = process.args;
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand !== undefined) return subcommand(process, parseFlags(rest));
  const known = Object.keys(SUBCOMMANDS).join(', ');
  await process.stderr.write(`Error: unknown command "${name}" for "app": known are ${known}\n`);
  return 1;
};

/** Made once, when the first container wants it; the image's own is no secret either. */
let localhost: KeyPair | undefined;
const localhostKeyPair = (): KeyPair => (localhost ??= selfSigned('localhost', Date.UTC(2026, 0, 1)));

/** The image has another netcat than BusyBox's; it is loaded when it is first called. */
const nc: Program = async process => (await import('../../programs/nc.js')).openbsdNc(process);

export const agnhost: KnownImage = {
  names: ['agnhost'],
  about: "Kubernetes' test image: netexec, serve-hostname, guestbook, webhook, connect and so on",
  ports: ['8080', '9376'],
  entrypoint: ['/agnhost'],
  cmd: ['pause'],
  programs: { agnhost: agnhostProgram, 'agnhost-2': agnhostProgram, nc, netcat: nc },
  userland: true,
  get files() {
    const { cert, key } = localhostKeyPair();
    return { '/localhost.crt': cert, '/localhost.key': key };
  },
  accounts: { 1000: { gid: 1000, groups: [50000] } },
};

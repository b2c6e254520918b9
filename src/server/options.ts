import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Logger } from '../machinery/logger.js';
import type { Clock } from '../machinery/clock.js';
import type { Random } from '../machinery/random.js';
import type { UserInfo } from '../api/strategy.js';
import type { PortRange } from '../kinds/core/port-allocator.js';
import type { KvStore } from '../storage/kv-store.js';
import type { KeyPair } from '../machinery/x509/certificate.js';
import type { AuditPolicy } from './audit/policy.js';
import type { AuditSink } from './audit/auditor.js';
import type { RequestHeaderOptions } from './auth/authn/request-header.js';
import type { EncryptionConfiguration } from './encryption/configuration.js';
import type { EncryptionFile } from './encryption/reload.js';
import type { Exchange } from './pipeline/exchange.js';
import type { InFlightLimits } from './pipeline/in-flight.js';
import type { StoredProblem } from './registry/stored-problem.js';
import type { AuthorizationMode } from './security.js';

/** The common name of the certificate that this server shows to aggregated APIs, as kubeadm has it. */
export const FRONT_PROXY_CLIENT = 'front-proxy-client';

/** The keys that a server works with. */
export interface ServerKeys {
  readonly ca: KeyPair;
  /** Signs the certificates of those whose word about users is taken. */
  readonly frontProxyCa: KeyPair;
  /** With it the API server says to aggregated APIs who a user is. */
  readonly frontProxyClient: KeyPair;
  /** The API server's serving certificate. */
  readonly serving: KeyPair;
  /** With it the API server calls node agents. */
  readonly kubeletClient: KeyPair;
  /** Private key, PEM, that signs service account tokens. */
  readonly serviceAccountKey: string;
  /** Keys or certificates, PEM, that verify them; undefined: the one that signs. */
  readonly serviceAccountVerifyingKeys?: readonly string[];
}

export interface ApiServerOptions {
  /** Closed with the server. */
  readonly store: KvStore;
  readonly pki: ServerKeys;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** Default 127.0.0.1. */
  readonly bindAddress?: string;
  /** 0 (the default) takes a free one. */
  readonly securePort?: number;
  /** Where Pods reach the API server; by house convention the host as they see it. Default 172.18.0.1. */
  readonly advertiseAddress?: string;
  /** The port there, when something stands before this server; default: its own. */
  readonly advertisePort?: number;
  /** One range, or one of each family: "10.96.0.0/16,fd00:10:96::/112". Default 10.96.0.0/16. */
  readonly serviceClusterIpRange?: string;
  /** Default 30000-32767. */
  readonly serviceNodePortRange?: PortRange;
  /** Bearer tokens and whose they are. */
  readonly tokens?: ReadonlyMap<string, UserInfo>;
  /** Default true. */
  readonly anonymousAuth?: boolean;
  /** Default Node, RBAC. */
  readonly authorizationModes?: readonly AuthorizationMode[];
  readonly serviceAccountIssuer?: string;
  /** Whom tokens are for when nobody says; default: the issuer. */
  readonly apiAudiences?: readonly string[];
  /** Names of admission plugins that are off. */
  readonly disabledAdmission?: readonly string[];
  /** PEM; default: from `pki`. */
  readonly servingCertificate?: { readonly cert: string; readonly key: string };
  /** PEM of a further CA for client certificates. */
  readonly clientCa?: string;
  /** Front proxies, whose word about users is taken. Default: those of `pki`, in the usual headers. */
  readonly requestHeader?: RequestHeaderOptions;
  /** What is shown to aggregated APIs, PEM; default: from `pki`. */
  readonly proxyClient?: KeyPair;
  /** Requests to aggregated APIs go to an endpoint of their Service, not to its ClusterIP. */
  readonly aggregatorRouting?: boolean;
  /** Requests that are worked on at a time; default 400 reads and 200 writes. */
  readonly inFlightLimits?: InFlightLimits;
  /** Whether the two are one limit, which flow schemas and priority levels divide; default true. */
  readonly priorityAndFairness?: boolean;
  /** How long a server that is told to stop serves on, while /readyz says so; default 0. */
  readonly shutdownDelayMs?: number;
  /** How values are kept in the store; default: as they are. */
  readonly encryption?: EncryptionConfiguration;
  /** Where that comes from, when what changes there is to be taken into use. */
  readonly encryptionFile?: EncryptionFile;
  /** Default policy: a line of metadata per request, once it is answered. */
  readonly audit?: { readonly sink: AuditSink; readonly policy?: AuditPolicy };
  /** Is given each request once it is known who asks for what: may wait, change it, or end it with a StatusError. */
  readonly interpose?: (exchange: Exchange) => Promise<void> | void;
}

/** A running API server, in this process. */
export interface ApiServer {
  /** Starts to serve. @throws Error when the port is taken */
  listen(): Promise<{ readonly port: number }>;
  /**
   * Serves a connection of this process, which needs neither a network nor TLS between: the certificate is its client's, and has
   * been checked by whoever gives it.
   */
  accept(connection: Duplex, certificate: X509Certificate): void;
  /** The newest revision of the store that it knows of. */
  revision(): number;
  /** Has watches tell how far they are by a bookmark, if their clients do not know. */
  tellProgress(): void;
  /** What judges values that somebody else has stored, by the kinds that are served now. */
  storedProblem(): StoredProblem;
  /** Ends every watch: whoever watches comes back. */
  endWatches(): void;
  /** Forgets all history: who comes back with an older resourceVersion gets 410. */
  forgetHistory(): Promise<void>;
  /** The revision of the newest change of one of these objects; undefined: they are not here. */
  changed(group: string, version: string, resource: string): number | undefined;
  /** Stops accepting, ends watches cleanly, closes the store. */
  close(): Promise<void>;
}

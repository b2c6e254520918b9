import { X509Certificate } from 'node:crypto';
import { CERTIFICATE_SIGNING_REQUESTS, SUBJECT_ACCESS_REVIEWS } from '../../client/resources.js';
import type { Client, Informer } from '../../client/types.js';
import { formatTime } from '../../machinery/clock.js';
import { cloneJson } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import { signRequest } from '../../machinery/x509/sign-request.js';
import type { ControllerContext, ControllerDefinition } from '../controller.js';
import { expiryOf } from './expiry.js';
import {
  hasCondition,
  isIssued,
  isKubeletClient,
  parsedRequest,
  SIGNERS,
  type ReadonlyRequest,
  type SigningRequest,
} from './request.js';

const HOUR_MS = 3_600_000;
const BACKDATE_MS = 300_000;
/** Certificates that live less end when they were asked to, in spite of the backdating. */
const SHORT_MS = 8 * HOUR_MS;
const MIN_DURATION_MS = 600_000;

/** Requests by name, each looked at whenever it changes. */
function watchRequests({ informers, queue }: ControllerContext): Informer<SigningRequest> {
  const requests = informers.informer<SigningRequest>(CERTIFICATE_SIGNING_REQUESTS);
  const consider = ({ metadata }: ReadonlyRequest): void => queue.add(metadata.name ?? '');
  requests.addHandler({ add: consider, update: (_old, request) => consider(request) });
  return requests;
}

const copyOf = (request: ReadonlyRequest): SigningRequest => cloneJson(request) as SigningRequest;

/** From when to when, given what was asked for and how long the CA itself is good. @throws Error when it no longer is */
export function validity(
  nowMs: number,
  durationMs: number,
  expirationSeconds: number | undefined,
  caEndMs: number,
): { notBefore: number; notAfter: number } {
  const asked = expirationSeconds === undefined ? durationMs : expirationSeconds * 1000;
  const ttl = asked > durationMs ? durationMs : Math.max(asked, expirationSeconds === undefined ? 0 : MIN_DURATION_MS);
  const end = nowMs + ttl - (ttl < SHORT_MS ? 0 : BACKDATE_MS);
  if (nowMs >= caEndMs)
    throw new Error(`refusing to sign a certificate that expired in the past: NotAfter=${formatTime(caEndMs)}`);
  return { notBefore: nowMs - BACKDATE_MS, notAfter: Math.min(end, caEndMs) };
}

/** Signs approved requests of Kubernetes' own signers with the cluster's CA (pkg/controller/certificates/signer). */
export const requestSigningController: ControllerDefinition = {
  name: 'certificatesigningrequest-signing-controller',
  aliases: ['csrsigning'],
  workers: 5,
  build(context) {
    const { client, clock, options } = context;
    const { signing } = options;
    // Without a CA every request waits for somebody else's signer.
    if (signing === undefined) return { reconcile: () => Promise.resolve() };
    const requests = watchRequests(context);
    const writer = client.resource<SigningRequest>(CERTIFICATE_SIGNING_REQUESTS);
    const caEndMs = Date.parse(new X509Certificate(signing.cert).validTo);
    return {
      async reconcile(name) {
        const request = requests.indexer.get(name);
        if (request === undefined || isIssued(request)) return;
        const check = SIGNERS[request.spec.signerName];
        if (check === undefined || !hasCondition(request, 'Approved')) return;
        if (hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return;
        const parsed = parsedRequest(request);
        const { usages = [], expirationSeconds } = request.spec;
        const update = copyOf(request);
        const status = (update.status ??= {});
        const problem = check(parsed, usages);
        if (problem === undefined) {
          const times = validity(clock.now(), signing.durationMs, expirationSeconds, caEndMs);
          const certificate = signRequest(parsed, { ca: signing, usages, ...times });
          status.certificate = Buffer.from(certificate).toString('base64');
        } else {
          (status.conditions ??= []).push({
            type: 'Failed',
            status: 'True',
            reason: 'SignerValidationFailure',
            message: problem,
            lastUpdateTime: formatTime(clock.now()),
          });
        }
        await writer.update(update, { subresource: 'status' });
      },
    };
  },
};

/** Whom a node may ask a certificate for: itself, or any node. */
const RECOGNIZERS = [
  {
    self: true,
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  },
  {
    self: false,
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  },
] as const;

async function mayCreate(client: Client, { spec }: ReadonlyRequest, subresource: string): Promise<boolean> {
  const { username = '', uid, groups, extra } = spec;
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: {
      user: username,
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups }),
      ...(extra === undefined ? {} : { extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
        version: '*',
      },
    },
  };
  const answer = await client.resource(SUBJECT_ACCESS_REVIEWS).create('', review);
  return (answer['status'] as { allowed?: boolean } | undefined)?.allowed === true;
}

/** Approves what kubelets ask for themselves, where RBAC lets them (pkg/controller/certificates/approver). */
export const requestApprovingController: ControllerDefinition = {
  name: 'certificatesigningrequest-approving-controller',
  aliases: ['csrapproving'],
  workers: 5,
  build(context) {
    const { client, log } = context;
    const requests = watchRequests(context);
    const writer = client.resource<SigningRequest>(CERTIFICATE_SIGNING_REQUESTS);
    return {
      async reconcile(name) {
        const request = requests.indexer.get(name);
        if (request === undefined || isIssued(request)) return;
        if (hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return;
        const parsed = parsedRequest(request);
        if (!isKubeletClient(request, parsed)) return;
        const isOwn = request.spec.username === parsed.commonName;
        for (const { self, subresource, message } of RECOGNIZERS) {
          if ((self && !isOwn) || !(await mayCreate(client, request, subresource))) continue;
          const update = copyOf(request);
          const status = (update.status ??= {});
          (status.conditions ??= []).push({ type: 'Approved', status: 'True', reason: 'AutoApproved', message });
          await writer.update(update, { subresource: 'approval' });
          return;
        }
        log.info({ name }, 'a node client request is recognized, but its user may not have it approved');
      },
    };
  },
};

/** How often requests are looked through. */
const CLEANING_PERIOD_MS = HOUR_MS;

/** Deletes requests that are decided, failed or forgotten (pkg/controller/certificates/cleaner). */
export const requestCleanerController: ControllerDefinition = {
  name: 'certificatesigningrequest-cleaner-controller',
  aliases: ['csrcleaner'],
  workers: 1,
  build({ client, informers, clock, signal, queue, log }) {
    const requests = informers.informer<SigningRequest>(CERTIFICATE_SIGNING_REQUESTS);
    const writer = client.resource<SigningRequest>(CERTIFICATE_SIGNING_REQUESTS);
    return {
      async reconcile(name) {
        const request = requests.indexer.get(name);
        const why = request === undefined ? undefined : expiryOf(request, clock.now());
        if (why === undefined) return;
        log.info({ name, why }, 'deleting a certificate request');
        try {
          await writer.delete({ namespace: '', name });
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      },
      async background() {
        while (!signal.aborted) {
          for (const { metadata } of requests.indexer.list()) queue.add(metadata.name ?? '');
          await clock.sleep(CLEANING_PERIOD_MS, signal);
        }
      },
    };
  },
};

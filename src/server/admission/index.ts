import type { AdmissionPlugin } from './types.js';
import type { Authorizer } from '../auth/authorizer.js';
import { certificateSubjectRestriction, createCertificateApproval, createCertificateSigning } from './certificates.js';
import { limitRanger } from './limit-ranger.js';
import { createNodeRestriction } from './node-restriction.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { podSecurity } from './pod-security/plugin.js';
import {
  defaultTolerationSeconds,
  podTopologyLabels,
  priority,
  runtimeClass,
  taintNodesByCondition,
} from './pod-scheduling.js';
import { createResourceQuotaPlugin } from './resource-quota.js';
import { createServiceAccountPlugin } from './service-account.js';
import {
  defaultIngressClass,
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from './storage.js';

import { createMutatingWebhooks } from './webhooks/mutating.js';
import type { WebhooksOptions } from './webhooks/options.js';
import { createValidatingWebhooks } from './webhooks/validating.js';

export interface AdmissionDeps {
  readonly webhooks: WebhooksOptions;
  /** An integer in [0, n). */
  readonly random: (n: number) => number;
  readonly authorizer: Authorizer;
}

/** The plugins that are on, in upstream's order (kubeapiserver/options AllOrderedPlugins). */
export const createAdmission = ({ random, authorizer, webhooks }: AdmissionDeps): AdmissionPlugin[] => [
  namespaceLifecycle,
  limitRanger,
  createServiceAccountPlugin(random),
  createNodeRestriction(authorizer),
  taintNodesByCondition,
  podSecurity,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
  persistentVolumeClaimResize,
  runtimeClass,
  createCertificateApproval(authorizer),
  createCertificateSigning(authorizer),
  certificateSubjectRestriction,
  defaultIngressClass,
  podTopologyLabels,
  createMutatingWebhooks(webhooks),
  createValidatingWebhooks(webhooks),
  createResourceQuotaPlugin(),
];

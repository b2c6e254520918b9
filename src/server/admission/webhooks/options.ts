import type { Turns } from '../../../machinery/turns.js';
import type { Catalog } from '../../../api/catalog.js';
import type { CallWebhook } from '../../webhook-client/call.js';
import type { Equivalents } from '../matching/equivalents.js';
import type { AdmissionRequest } from '../types.js';
import type { CompileConditions } from './conditions.js';
import type { HookMetrics } from './metrics.js';
import type { Versions } from './versions.js';

/** What both kinds of webhooks work with. */
export interface WebhooksOptions {
  readonly catalog: Catalog;
  readonly turns: Turns;
  readonly call: CallWebhook;
  readonly uuid: () => string;
  readonly equivalents: Equivalents;
  readonly versions: Versions;
  readonly metrics: HookMetrics;
  readonly compileConditions: CompileConditions;
  /** Whether the server serves: what it makes at its start nobody is asked about, who might be served by it. */
  readonly ready: () => boolean;
}

const CONFIGURATION_GROUP = 'admissionregistration.k8s.io';
const EXEMPT = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

/** What says who is asked: nobody is asked about it, so that whatever they do, somebody can put it right. */
export const isExempt = ({ resource }: AdmissionRequest): boolean =>
  resource.group === CONFIGURATION_GROUP && EXEMPT.has(resource.kind);

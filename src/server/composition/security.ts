import type { Objects } from '../../api/strategy.js';
import { createSecurity, type Security } from '../security.js';
import type { Settings } from './settings.js';
import type { Trust } from './trust.js';

/** Who may come in and what they may do. */
export const composeSecurity = (settings: Settings, trust: Trust, objects: () => Objects): Security =>
  createSecurity({
    ...trust,
    objects,
    clock: settings.clock,
    tokens: settings.tokens,
    modes: settings.authorizationModes,
    anonymous: settings.anonymousAuth,
    issuer: settings.serviceAccountIssuer,
    apiAudiences: settings.apiAudiences,
    serviceAccountKey: settings.pki.serviceAccountKey,
    serviceAccountVerifyingKeys: settings.pki.serviceAccountVerifyingKeys,
  });

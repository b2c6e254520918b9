import type { ResourceRef } from '../../client/types.js';

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';

const resource = (name: string, namespaced: boolean, version = 'v1'): ResourceRef => ({
  group: GATEWAY_GROUP,
  version,
  resource: name,
  namespaced,
});

/** Gateway API's kinds are definitions that users install. */
export const GATEWAY_CLASSES = resource('gatewayclasses', false);
export const GATEWAYS = resource('gateways', true);
export const HTTP_ROUTES = resource('httproutes', true);
/** Of the standard channel; v1 came late. */
export const REFERENCE_GRANTS = resource('referencegrants', true, 'v1beta1');

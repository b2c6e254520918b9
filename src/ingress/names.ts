/** What users write to get this controller. */
export const CLASS = 'kubette';
/** Of an IngressClass: who serves it. */
export const INGRESS_CONTROLLER = 'kubette.io/ingress-controller';
/** Of a GatewayClass. */
export const GATEWAY_CONTROLLER = 'kubette.io/gateway-controller';

/** Where it runs, and what everything of it is called there. */
export const NAMESPACE = 'kubette-ingress';
export const NAME = 'kubette-ingress';

/** The ports that clients come to, in the Pod as at its Service. */
export const PORTS = { http: 80, https: 443, health: 10254 } as const;

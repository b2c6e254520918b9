import { STANDARD_HEADERS, type RequestHeaderOptions } from '../auth/authn/request-header.js';
import { FRONT_PROXY_CLIENT } from '../options.js';
import type { Settings } from './settings.js';

/** Whose certificates say who somebody is. */
export interface Trust {
  /** PEM bundle of the CAs of users' certificates. */
  readonly clientCa: string;
  /** Front proxies, whose word about users is taken. */
  readonly requestHeader: RequestHeaderOptions;
}

export const trustOf = ({ pki, clientCa, requestHeader }: Settings): Trust => ({
  clientCa: clientCa === undefined ? pki.ca.cert : `${pki.ca.cert}\n${clientCa}`,
  requestHeader: requestHeader ?? {
    ...STANDARD_HEADERS,
    // kubeadm names none; a front proxy that is told of none sends none.
    uidHeaders: [],
    clientCa: pki.frontProxyCa.cert,
    allowedNames: [FRONT_PROXY_CLIENT],
  },
});

/** Client certificates of all of them are asked for. Which of them one comes from is for the authenticators to tell. */
export const clientCertificateAuthorities = ({ clientCa, requestHeader }: Trust): string =>
  `${clientCa}\n${requestHeader.clientCa}`;

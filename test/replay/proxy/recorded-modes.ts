import { PROXY_MODES, type ProxyMode } from '../../../src/dataplane/proxiers/modes.js';

/** Modes that the real kube-proxy was not recorded in, and why. */
export const NOT_RECORDED = {
  userspace: 'upstream removed it in 1.26, the recordings are of 1.35',
  ipvs: 'the kernel of the recordings has no IPVS',
} as const satisfies Partial<Record<ProxyMode, string>>;

export type RecordedMode = Exclude<ProxyMode, keyof typeof NOT_RECORDED>;
export const RECORDED_MODES = PROXY_MODES.filter((mode): mode is RecordedMode => !(mode in NOT_RECORDED));

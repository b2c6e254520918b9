/** Which end of a packet a dimension of a set is compared with. */
export type SetSide = 'src' | 'dst';

/** Those that kube-proxy makes. */
export const SET_TYPES = ['hash:ip', 'hash:ip,port', 'hash:ip,port,ip', 'hash:ip,port,net', 'bitmap:port'] as const;
export type SetType = (typeof SET_TYPES)[number];

/** What happens to one set. It is made when it is not there. */
export interface SetChange {
  readonly name: string;
  readonly type: SetType;
  /** Of a set that this makes: what its hash begins with. Undefined: chance says. */
  readonly initval?: number;
  /** As `ipset add` reads them: "10.0.0.1,tcp:80". */
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Which end of a packet a dimension of a set is compared with. */
export type SetSide = 'src' | 'dst';

/** Those that kube-proxy makes. */
export type SetType = 'hash:ip' | 'hash:ip,port' | 'hash:ip,port,ip' | 'hash:ip,port,net' | 'bitmap:port';

/** What happens to one set. It is made when it is not there. */
export interface SetChange {
  readonly name: string;
  readonly type: SetType;
  /** As `ipset add` reads them: "10.0.0.1,tcp:80". */
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Resource records. Names are in presentation form and have no final dot. */
export type ResourceRecord = { readonly name: string; readonly ttl: number; readonly class?: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | { readonly type: 'TXT'; readonly text: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: 'MX'; readonly preference: number; readonly target: string }
  | {
      readonly type: 'SOA';
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      readonly minimum: number;
    }
  /** What an upstream server says and this one need not understand. */
  | { readonly type: 'OTHER'; readonly number: number; readonly data: Buffer }
);

export type RecordType = Exclude<ResourceRecord['type'], 'OTHER'>;

export const RECORD_TYPES: Readonly<Record<RecordType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};

export const typeNumber = (record: ResourceRecord): number =>
  record.type === 'OTHER' ? record.number : RECORD_TYPES[record.type];

/** Transfers are refused. */
export const IXFR = 251;
export const AXFR = 252;
export const OPT = 41;
export const CLASS_IN = 1;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  /** Needs the OPT record for its upper bits. */
  BADVERS: 16,
} as const;

export type Rcode = (typeof RCODE)[keyof typeof RCODE];

export interface Answer {
  /** Of this server; of an upstream one, any. */
  readonly rcode: number;
  readonly authoritative: boolean;
  /** What a server that forwards says of itself (RA). */
  readonly recursive?: boolean;
  readonly authenticData?: boolean;
  /** An upstream server left something out. */
  readonly truncated?: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
}

export const emptyAnswer = (rcode: Rcode): Answer => ({
  rcode,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});

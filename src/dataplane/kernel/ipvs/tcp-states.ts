import type { TcpFlags } from '../../packet.js';

/** Those of ip_vs_proto_tcp.c that connections through NAT come to. */
export type TcpState =
  | 'NONE'
  | 'ESTABLISHED'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'FIN_WAIT'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'CLOSE_WAIT';

/** From the client to the server, or back. */
export type Way = 'in' | 'out';

/** In seconds. */
export const TCP_TIMEOUT: Readonly<Record<TcpState, number>> = {
  NONE: 2,
  ESTABLISHED: 900,
  SYN_SENT: 120,
  SYN_RECV: 60,
  FIN_WAIT: 120,
  TIME_WAIT: 120,
  CLOSE: 10,
  CLOSE_WAIT: 60,
};

/** The others count as inactive connections. */
export const isActive = (state: TcpState): boolean =>
  state === 'ESTABLISHED' || state === 'SYN_SENT' || state === 'SYN_RECV';

type Event = 'syn' | 'fin' | 'ack' | 'rst';

const eventOf = (flags: TcpFlags): Event => (flags === 'synack' ? 'syn' : flags);

type Row = Readonly<Record<TcpState, TcpState>>;

const row = (
  NONE: TcpState,
  ESTABLISHED: TcpState,
  SYN_SENT: TcpState,
  SYN_RECV: TcpState,
  FIN_WAIT: TcpState,
  TIME_WAIT: TcpState,
  CLOSE: TcpState,
  CLOSE_WAIT: TcpState,
): Row => ({ NONE, ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT, TIME_WAIT, CLOSE, CLOSE_WAIT });

/** The next state, by event and by the state before it, in the order of `row`. */
const NEXT: Readonly<Record<Way, Readonly<Record<Event, Row>>>> = {
  in: {
    syn: row('SYN_RECV', 'ESTABLISHED', 'ESTABLISHED', 'SYN_RECV', 'SYN_RECV', 'SYN_RECV', 'SYN_RECV', 'SYN_RECV'),
    fin: row('CLOSE', 'CLOSE_WAIT', 'SYN_SENT', 'TIME_WAIT', 'TIME_WAIT', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT'),
    ack: row('ESTABLISHED', 'ESTABLISHED', 'SYN_SENT', 'ESTABLISHED', 'FIN_WAIT', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT'),
    rst: row('CLOSE', 'CLOSE', 'CLOSE', 'SYN_RECV', 'CLOSE', 'CLOSE', 'CLOSE', 'CLOSE'),
  },
  out: {
    syn: row('SYN_SENT', 'ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'SYN_SENT', 'SYN_SENT', 'SYN_SENT', 'SYN_SENT'),
    fin: row('TIME_WAIT', 'FIN_WAIT', 'SYN_SENT', 'TIME_WAIT', 'FIN_WAIT', 'TIME_WAIT', 'CLOSE', 'TIME_WAIT'),
    ack: row('ESTABLISHED', 'ESTABLISHED', 'SYN_SENT', 'ESTABLISHED', 'FIN_WAIT', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT'),
    rst: row('CLOSE', 'CLOSE', 'SYN_SENT', 'CLOSE', 'CLOSE', 'TIME_WAIT', 'CLOSE', 'CLOSE'),
  },
};

export const nextTcpState = (state: TcpState, way: Way, flags: TcpFlags): TcpState => NEXT[way][eventOf(flags)][state];

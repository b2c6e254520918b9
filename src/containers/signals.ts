export type SignalName =
  | 'HUP'
  | 'INT'
  | 'QUIT'
  | 'ILL'
  | 'TRAP'
  | 'ABRT'
  | 'BUS'
  | 'FPE'
  | 'KILL'
  | 'USR1'
  | 'SEGV'
  | 'USR2'
  | 'PIPE'
  | 'ALRM'
  | 'TERM'
  | 'CHLD'
  | 'CONT'
  | 'STOP'
  | 'TSTP'
  | 'TTIN'
  | 'TTOU'
  | 'WINCH';

export const SIGNAL_NUMBERS: Readonly<Record<SignalName, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  WINCH: 28,
};

/** Signals that do nothing to a process that does not catch them. */
export const IGNORED_BY_DEFAULT: ReadonlySet<SignalName> = new Set(['CHLD', 'CONT', 'WINCH']);
/** Signals that stop a process until SIGCONT. */
export const STOPPING: ReadonlySet<SignalName> = new Set(['STOP', 'TSTP', 'TTIN', 'TTOU']);

/** Why a process's signal aborted. Its exit status is 128 + the signal's number. */
export class Killed extends Error {
  override readonly name = 'Killed';

  constructor(readonly by: SignalName) {
    super(`killed by SIG${by}`);
  }
  get exitCode(): number {
    return 128 + SIGNAL_NUMBERS[this.by];
  }
}

/** "TERM", "SIGTERM" or "15" to a name. */
export function signalName(text: string): SignalName | 'EXIT' | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (name === 'EXIT' || name === '0') return 'EXIT';
  if (name in SIGNAL_NUMBERS) return name as SignalName;
  return (Object.keys(SIGNAL_NUMBERS) as SignalName[]).find(known => String(SIGNAL_NUMBERS[known]) === name);
}

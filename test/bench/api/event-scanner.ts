const NEW_LINE = 10;
/** Where the type of an event begins: `{"type":"ADDED",…`. */
const TYPE_AT = 9;
const MARK = Buffer.from('"sent-us":"');
const SYNCED = Buffer.from('"k8s.io/initial-events-end":"true"');
const [A, M, D, B, ZERO] = [65, 77, 68, 66, 48];

export interface EventHandler {
  /** `sentUs` is what the writer noted of when it sent it; 0 where it noted nothing. */
  event(type: 'added' | 'modified' | 'deleted', sentUs: number): void;
  /** All there was at the beginning has been told. */
  synced(): void;
}

/** Reads a watch's lines without parsing them, which would cost more than to make them. */
export class EventScanner {
  private begun: Buffer | undefined;

  constructor(private readonly handler: EventHandler) {}

  push(bytes: Buffer): void {
    let from = 0;
    for (let end = bytes.indexOf(NEW_LINE); end !== -1; end = bytes.indexOf(NEW_LINE, from)) {
      if (this.begun === undefined) this.line(bytes.subarray(from, end));
      else this.line(Buffer.concat([this.begun, bytes.subarray(from, end)]));
      this.begun = undefined;
      from = end + 1;
    }
    if (from === bytes.length) return;
    const rest = bytes.subarray(from);
    this.begun = this.begun === undefined ? Buffer.from(rest) : Buffer.concat([this.begun, rest]);
  }

  private line(line: Buffer): void {
    const type = line[TYPE_AT];
    if (type === A) this.handler.event('added', sentUs(line));
    else if (type === M) this.handler.event('modified', sentUs(line));
    else if (type === D) this.handler.event('deleted', sentUs(line));
    else if (type === B && line.includes(SYNCED)) this.handler.synced();
  }
}

function sentUs(line: Buffer): number {
  const at = line.indexOf(MARK);
  if (at === -1) return 0;
  let value = 0;
  for (let i = at + MARK.length; ; i++) {
    const digit = (line[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}

const CR = 13;
const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

export interface AnswerHandler {
  head(status: number): void;
  /** The bytes are read over once it has returned. */
  body(bytes: Buffer): void;
  end(): void;
}

/** Reads HTTP/1.1 answers of one connection, one after the other, with a length or in chunks. */
export class AnswerReader {
  private state: 'head' | 'body' | 'size' | 'chunk' | 'chunk end' | 'trailer' = 'head';
  private left = 0;
  /** Of a head or a line, what has come so far. */
  private begun: Buffer | undefined;

  constructor(private readonly handler: AnswerHandler) {}

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.state === 'body' || this.state === 'chunk') at = this.take(bytes, at);
      else at = this.line(bytes, at);
    }
  }

  private take(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.left);
    this.left -= end - at;
    this.handler.body(bytes.subarray(at, end));
    if (this.left === 0) {
      if (this.state === 'body') this.finish();
      else this.state = 'chunk end';
    }
    return end;
  }

  /** A head, or a line between chunks: what ends with the bytes given here. */
  private line(bytes: Buffer, at: number): number {
    const ending = this.state === 'head' ? HEAD_END : LINE_END;
    const had = this.begun?.length ?? 0;
    // What begins the ending may have come before.
    const whole = this.begun === undefined ? bytes.subarray(at) : Buffer.concat([this.begun, bytes.subarray(at)]);
    const found = whole.indexOf(ending, Math.max(0, had - ending.length + 1));
    if (found === -1) {
      this.begun = Buffer.from(whole);
      return bytes.length;
    }
    this.begun = undefined;
    if (this.state === 'head') this.readHead(whole.toString('latin1', 0, found));
    else if (this.state === 'size') this.readSize(whole.toString('latin1', 0, found));
    else if (this.state === 'chunk end') this.state = 'size';
    // A trailer's fields are read past; an empty line ends it.
    else if (found === 0 || whole[0] === CR) this.finish();
    return at + found + ending.length - had;
  }

  private readHead(head: string): void {
    const status = Number(head.slice(9, 12));
    // 101 is none that this suite asks for; 100 is followed by the real head.
    if (status === 100) return;
    const fields = head.toLowerCase();
    this.handler.head(status);
    if (fields.includes('\r\ntransfer-encoding: chunked')) {
      this.state = 'size';
      return;
    }
    const field = '\r\ncontent-length: ';
    const at = fields.indexOf(field);
    this.left = at === -1 ? 0 : Number.parseInt(fields.slice(at + field.length), 10);
    if (this.left === 0) this.finish();
    else this.state = 'body';
  }

  private readSize(line: string): void {
    this.left = Number.parseInt(line, 16);
    this.state = this.left === 0 ? 'trailer' : 'chunk';
  }

  private finish(): void {
    this.state = 'head';
    this.handler.end();
  }
}

import type { TLSSocket } from 'node:tls';
import { AnswerReader } from './answer-reader.js';
import { dial, type Endpoint } from './endpoint.js';

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
  readonly accept?: string;
  readonly gzip?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** Only where it was asked for, and of refusals. */
  readonly text: string;
}

interface Waiting {
  readonly ask: Ask;
  readonly keep: boolean;
  /** Gets the body of an answer that never ends. */
  readonly stream: ((bytes: Buffer) => void) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** A connection for one request at a time. It does as little as can be, as it shares the machine with whom it measures. */
export class Connection {
  private waiting: Waiting | undefined;
  private status = 0;
  private bytes = 0;
  private kept: Buffer[] = [];
  private socket!: TLSSocket;
  private readonly fields: string;

  private constructor(to: Endpoint) {
    const authorization = to.token === undefined ? '' : `Authorization: Bearer ${to.token}\r\n`;
    this.fields = `Host: ${to.host}:${to.port}\r\nUser-Agent: bench\r\n${authorization}`;
  }

  static async open(to: Endpoint): Promise<Connection> {
    const connection = new Connection(to);
    const reader = new AnswerReader({
      head: status => connection.begun(status),
      body: bytes => connection.took(bytes),
      end: () => connection.ended(),
    });
    connection.socket = await dial(to, bytes => reader.push(bytes));
    connection.socket.on('error', (error: Error) => connection.lost(error));
    connection.socket.on('close', () => connection.lost(new Error('the server has closed the connection')));
    return connection;
  }

  /** Fails on anything but a 2xx. `keep` gives the answer's text. */
  send(ask: Ask, keep = false): Promise<Answer> {
    return new Promise((resolve, reject) => this.write({ ask, keep, stream: undefined, resolve, reject }));
  }

  async json<T>(ask: Ask): Promise<T> {
    return JSON.parse((await this.send(ask, true)).text) as T;
  }

  /** Resolves when the answer's head is there; `stream` gets the rest, `gone` is called when there is no more. */
  watch(ask: Ask, stream: (bytes: Buffer) => void, gone: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let begun = false;
      const end = (error?: Error): void => {
        if (begun) gone();
        else reject(error ?? new Error(`${ask.path}: refused`));
      };
      this.opened = () => {
        begun = true;
        resolve();
      };
      this.write({ ask, keep: false, stream, resolve: () => end(), reject: end });
    });
  }

  close(): void {
    this.waiting = undefined;
    this.socket.destroy();
  }

  private opened: () => void = () => undefined;

  private write(waiting: Waiting): void {
    const { method = 'GET', path, body = '', type, accept, gzip } = waiting.ask;
    this.waiting = waiting;
    this.bytes = 0;
    this.kept = [];
    const head =
      `${method} ${path} HTTP/1.1\r\n${this.fields}Accept: ${accept ?? 'application/json'}\r\n` +
      (gzip === true ? 'Accept-Encoding: gzip\r\n' : '') +
      (method === 'GET'
        ? ''
        : `Content-Type: ${type ?? 'application/json'}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`);
    this.socket.write(`${head}\r\n${body}`);
  }

  private begun(status: number): void {
    this.status = status;
    if (this.waiting?.stream !== undefined && status === 200) this.opened();
  }

  private took(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.waiting === undefined) return;
    if (this.waiting.keep || this.status >= 300) this.kept.push(Buffer.from(bytes));
    else this.waiting.stream?.(bytes);
  }

  private ended(): void {
    const { waiting, status, bytes } = this;
    this.waiting = undefined;
    const text = this.kept.length === 0 ? '' : Buffer.concat(this.kept).toString('utf8');
    if (status < 300) return waiting?.resolve({ status, bytes, text });
    waiting?.reject(new Refused(status, `${waiting.ask.method ?? 'GET'} ${waiting.ask.path}: ${status} ${text}`));
  }

  private lost(error: Error): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(new Error(`${waiting.ask.path}: ${error.message}`));
  }
}

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message.slice(0, 1_000));
  }
}

import { NetworkError } from '../../network/errors.js';
import type { Program } from '../../process.js';
import { UsageError } from '../options.js';
import { parsePort } from './ports.js';
import { addressOf } from './resolve.js';

const IAC = 255;
const [WILL, WONT, DO, DONT] = [251, 252, 253, 254];

/** telnet HOST [PORT]: a connection by hand, which refuses every option that it is asked for; as BusyBox and inetutils say it. */
const telnetIn =
  (form: 'busybox' | 'inetutils'): Program =>
  async process => {
    const [host, service = '23', ...rest] = process.args.slice(1).filter(arg => !/^-[a4 6E8]$/.test(arg));
    if (host === undefined || rest.length > 0) throw new UsageError('usage: telnet HOST [PORT]');
    const port = parsePort(service);
    const shown = host.slice(0, 255);
    if (port === undefined) {
      await process.stderr.write(`telnet: bad port '${service.slice(0, 64)}'\n`);
      return 1;
    }
    const address = await addressOf(process, host);
    const { stdout, stderr, container } = process;
    if (address === undefined) {
      await stderr.write(
        form === 'busybox'
          ? `telnet: bad address '${shown}'\n`
          : `telnet: could not resolve ${shown}/${service.slice(0, 64)}: Name or service not known\n`,
      );
      return 1;
    }
    if (form === 'inetutils') await stdout.write(`Trying ${address}...\n`);
    let stream;
    try {
      stream = await container.network.connect({ address, port }, { signal: process.signal });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      await stderr.write(
        form === 'busybox'
          ? `telnet: can't connect to remote host (${address}): ${error.text}\n`
          : `telnet: Unable to connect to remote host: ${error.text}\n`,
      );
      return 1;
    }
    await stdout.write(
      form === 'busybox' ? `Connected to ${shown}\n` : `Connected to ${shown}.\nEscape character is '^]'.\n`,
    );
    const open = stream;
    const ended = new AbortController();
    const typing = (async (): Promise<void> => {
      const signal = AbortSignal.any([process.signal, ended.signal]);
      for (let typed = await process.stdin.read(signal); typed !== undefined; typed = await process.stdin.read(signal))
        open.write(typed.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
      open.end();
    })();
    // The end of the connection ends the reading, which is no failure.
    typing.catch(() => undefined);
    const options = new TelnetOptions(answer => void open.write(answer));
    try {
      for await (const chunk of open) {
        const text = options.take(chunk as Buffer);
        if (text.length > 0) await stdout.write(text);
      }
    } catch (error) {
      if (process.signal.aborted || !(error instanceof NetworkError)) throw error;
    } finally {
      ended.abort();
      open.destroy();
    }
    if (form === 'inetutils') await stderr.write('Connection closed by foreign host.\n');
    else await stderr.write('Connection closed by foreign host\n');
    return 1;
  };

export const telnet: Program = telnetIn('busybox');
export const inetutilsTelnet: Program = telnetIn('inetutils');

/** Takes the negotiation out of what comes (RFC 854), and declines all of it. */
class TelnetOptions {
  private state: 'data' | 'iac' | 'option' | 'sub' | 'sub-iac' = 'data';
  private verb = 0;

  constructor(private readonly answer: (bytes: Buffer) => void) {}

  take(chunk: Buffer): Buffer {
    const kept = Buffer.allocUnsafe(chunk.length);
    let length = 0;
    for (const byte of chunk) {
      switch (this.state) {
        case 'data':
          if (byte === IAC) this.state = 'iac';
          else kept[length++] = byte;
          break;
        case 'iac':
          this.verb = byte;
          this.state = byte >= WILL && byte <= DONT ? 'option' : byte === 250 ? 'sub' : 'data';
          if (byte === IAC) kept[length++] = byte;
          break;
        case 'option':
          if (this.verb === DO) this.answer(Buffer.from([IAC, WONT, byte]));
          else if (this.verb === WILL) this.answer(Buffer.from([IAC, DONT, byte]));
          this.state = 'data';
          break;
        case 'sub':
          if (byte === IAC) this.state = 'sub-iac';
          break;
        case 'sub-iac':
          this.state = byte === 240 ? 'data' : 'sub';
          break;
      }
    }
    return kept.subarray(0, length);
  }
}

import { NetworkError } from '../network/errors.js';
import type { Process, Program } from '../process.js';
import { deadline, DeadlineExceeded } from '../../machinery/deadline.js';
import { datagrams } from './nc-parts/datagrams.js';
import { listen } from './nc-parts/listen.js';
import { serve, talk } from './nc-parts/talk.js';
import { MAX_PORTS, USAGE } from './nc-parts/usage.js';
import { parseOptions } from './options.js';

/** BusyBox's nc [-zvnu] [-w SEC] [-p PORT] HOST PORT, nc -l [-kuv] -p PORT [-e PROG ARGS]: stdin's end is sent. */
export const nc: Program = process => netcat(process, true);

/** OpenBSD's: what is read ends, and the connection stays both ways until the peer ends it, or -N is given. */
export const openbsdNc: Program = process => netcat(process, false);

async function netcat(process: Process, sendsEnd: boolean): Promise<number> {
  const given = process.args.slice(1);
  // What follows -e is a whole command line.
  const e = given.findIndex(arg => arg === '-e' || arg === '-c');
  const command = e < 0 ? [] : given.slice(e + 1);
  const options = parseOptions(e < 0 ? given : given.slice(0, e), { short: 'zvnulktNw:p:i:q:s:46' });
  const halfClose = sendsEnd || options.has('N');
  if (options.has('l')) return listen(process, options, command, halfClose);
  const [host = '', portText = ''] = options.operands;
  const ports = portsOf(portText);
  if (host === '' || ports.length === 0) {
    await process.stderr.write(USAGE);
    return 1;
  }
  const { resolver, network, clock } = process.container;
  const seconds = options.get('w');
  const limitMs = seconds === undefined ? Infinity : Number(seconds) * 1000;
  let status = 1;
  for (const port of ports) {
    const limit = deadline(clock, limitMs, process.signal);
    let address: string | undefined;
    try {
      [address] = (await resolver.lookup(host, { signal: limit.signal })).addresses;
      if (address === undefined) {
        await process.stderr.write(`nc: bad address '${host}'\n`);
        return 1;
      }
      const to = { address, port };
      if (options.has('u')) {
        status = await datagrams(process, to, options, limitMs);
        continue;
      }
      const stream = await network.connect(to, { signal: limit.signal });
      limit.cancel();
      if (options.has('v')) await process.stderr.write(`${host} (${address}:${port}) open\n`);
      if (options.has('z')) {
        stream.destroy();
        status = 0;
        continue;
      }
      return command.length > 0
        ? await serve(process, stream, command)
        : await talk(process, stream, halfClose, limitMs);
    } catch (error) {
      if (!(error instanceof NetworkError || error instanceof DeadlineExceeded)) throw error;
      const text = error instanceof NetworkError ? error.text : 'Connection timed out';
      // BusyBox is silent about a failed -z unless asked.
      if (options.has('v') || !options.has('z'))
        await process.stderr.write(`nc: ${host} (${address ?? '?'}:${port}): ${text}\n`);
      if (ports.length === 1) return 1;
    } finally {
      limit.cancel();
    }
  }
  return status;
}

/** "80", "80-90". */
function portsOf(text: string): number[] {
  const [, from = '', to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to ?? from)];
  if (from === '' || first < 1 || last >= MAX_PORTS || last < first) return [];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

import { familyOf } from '../../../machinery/ip.js';
import type { Program } from '../../process.js';
import { parseOptions, UsageError } from '../options.js';
import { findRoute } from './ip-text.js';
import { addressOf } from './resolve.js';
import { mayCapture, refusing, withStack } from './stack-of.js';

/** arping [-c COUNT] [-w SECONDS] [-I LINK] ADDRESS: who on the link has the address. Only neighbours answer. */
export const arping: Program = refusing(
  withStack(async (process, stack) => {
    const { get, operands, has } = parseOptions(process.args.slice(1), { short: 'fqbDUAc:w:I:s:' });
    const [host] = operands;
    if (host === undefined) throw new UsageError('usage: arping [-c COUNT] [-w SECONDS] [-I LINK] ADDRESS');
    const link = get('I') ?? 'eth0';
    const own = stack.links().find(({ name }) => name === link);
    const source = own?.addresses.find(({ address }) => familyOf(address) === 'IPv4')?.address;
    if (own === undefined || source === undefined) {
      await process.stderr.write(`arping: interface ${link.slice(0, 64)} not found: No such device\n`);
      return 1;
    }
    if (!mayCapture(process)) {
      await process.stderr.write('arping: socket: Operation not permitted\n');
      return 1;
    }
    const address = await addressOf(process, host, 'IPv4');
    if (address === undefined) {
      await process.stderr.write(`arping: bad address '${host.slice(0, 255)}'\n`);
      return 1;
    }
    const count = Math.min(1e9, Math.max(1, Math.floor(Number(get('c') ?? 1e9)) || 1));
    const { clock } = process.container;
    const deadline = get('w') === undefined ? Infinity : clock.monotonic() + 1000 * (Number(get('w')) || 0);
    await process.stdout.write(`ARPING ${address} from ${source} ${link}\n`);
    const route = findRoute(stack, address);
    const isNear = route?.link === link && route.via === undefined;
    let received = 0;
    let sent = 0;
    while (sent < count && clock.monotonic() < deadline) {
      sent++;
      const began = clock.monotonic();
      const probe = { protocol: 'icmp', dst: address, dstPort: 0, ttl: 1, size: 8 } as const;
      const given = { timeoutMs: 1000, signal: process.signal };
      const answer = isNear ? await stack.probe(probe, given) : undefined;
      if (answer?.kind === 'echo') {
        received++;
        const mac = stack.neighbours().find(each => each.address === address)?.mac ?? 'ff:ff:ff:ff:ff:ff';
        const ms = (clock.monotonic() - began).toFixed(3);
        await process.stdout.write(`Unicast reply from ${address} [${mac}] ${ms}ms\n`);
        if (has('f')) break;
      }
      if (sent < count) await clock.sleep(Math.max(1, 1000 - (clock.monotonic() - began)), process.signal);
    }
    await process.stdout.write(`Sent ${sent} probe(s) (1 broadcast(s))\nReceived ${received} response(s)\n`);
    return received > 0 ? 0 : 1;
  }),
);

import { FileError } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { parseOptions } from './options.js';

/** The line of /etc/hosts that has a name: its address and names. */
async function hostsLine(process: Process, name: string): Promise<readonly string[] | undefined> {
  try {
    const text = (await process.container.files.read('/etc/hosts')).toString('utf8');
    return text
      .split('\n')
      .map(line => (line.split('#')[0] ?? '').trim().split(/\s+/))
      .find(words => words.length > 1 && words.slice(1).includes(name));
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

/** hostname [-sfdi]: the name of the container's own namespace, looked up in /etc/hosts for -f, -d and -i. */
export const hostname: Program = async process => {
  const { hostname: name, resolver } = process.container;
  const { operands, has } = parseOptions(process.args.slice(1), {
    short: 'sfdiIy',
    long: { fqdn: 'f', long: 'f', short: 's', domain: 'd', 'ip-address': 'i', 'all-ip-addresses': 'I' },
  });
  if (operands.length > 0) {
    await process.stderr.write('hostname: sethostname: Operation not permitted\n');
    return 1;
  }
  const say = async (text: string): Promise<number> => {
    await process.stdout.write(`${text}\n`);
    return 0;
  };
  if (has('I')) return say(process.container.network.addresses.join(' '));
  if (has('s')) return say(name.split('.')[0] ?? '');
  if (!has('f') && !has('d') && !has('i')) return say(name);
  const line = await hostsLine(process, name);
  if (has('i')) {
    const address = line?.[0] ?? (await resolver.lookup(name, { signal: process.signal })).addresses[0];
    if (address !== undefined) return say(address);
    await process.stderr.write(`hostname: ${name}: Host name lookup failure\n`);
    return 1;
  }
  const full = line?.[1] ?? name;
  return say(has('f') ? full : full.includes('.') ? full.slice(full.indexOf('.') + 1) : '');
};

/** dnsdomainname */
export const dnsdomainname: Program = process => hostname({ ...process, args: ['hostname', '-d'] });

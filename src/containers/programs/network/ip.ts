import type { Family } from '../../../machinery/ip.js';
import { familyOf } from '../../../machinery/ip.js';
import type { NetworkStack } from '../../network/stack.js';
import type { Process, Program } from '../../process.js';
import { type IpForm, type IpView, linkLines, neighbourLines, routeLines, routeOf, ruleLines } from './ip-text.js';
import { mayAdminister, NotSimulated, refusing, withStack } from './stack-of.js';

const OBJECTS = ['address', 'link', 'route', 'neighbour', 'rule', 'tunnel', 'netns', 'maddress', 'monitor', 'xfrm'];
const SHOWS = ['show', 'list', 'lst', 'ls'];
const CHANGES = ['add', 'del', 'delete', 'set', 'replace', 'change', 'append', 'flush', 'prepend'];

/** ip(8), as BusyBox prints it and as iproute2 does. */
export const busyboxIp: Program = refusing(withStack((process, stack) => ip(process, stack, 'busybox')));
export const iproute2Ip: Program = refusing(withStack((process, stack) => ip(process, stack, 'iproute2')));

/** Which view of a link or of all: what stands before and behind the object's name. */
interface Call {
  readonly object: string;
  readonly words: readonly string[];
  readonly families: readonly Family[];
  readonly view: IpView;
}

function parse(args: readonly string[], form: IpForm): Call | undefined {
  const rest = [...args];
  let families: readonly Family[] = ['IPv4', 'IPv6'];
  let brief = false;
  let oneLine = false;
  while (rest[0]?.startsWith('-') === true) {
    const option = (rest.shift() ?? '').replace(/^--/, '-');
    if (option === '-4') families = ['IPv4'];
    else if (option === '-6') families = ['IPv6'];
    else if (option === '-o' || option === '-oneline') oneLine = true;
    else if (form === 'iproute2' && /^-br(i(e(f)?)?)?$/.test(option)) brief = true;
    else if (/^-f(amily)?$/.test(option)) families = rest.shift() === 'inet6' ? ['IPv6'] : ['IPv4'];
    else if (!/^-(c(olor)?(=.{1,8})?|n(umeric)?|N|Numeric)$/.test(option)) throw new NotSimulated(`ip ${option}`);
  }
  const word = rest.shift();
  const object = word === undefined ? undefined : OBJECTS.find(name => name.startsWith(word));
  if (word === undefined) return undefined;
  return { object: object ?? word, words: rest, families, view: { form, brief, oneLine } };
}

async function ip(process: Process, stack: NetworkStack, form: IpForm): Promise<number> {
  const call = parse(process.args.slice(1), form);
  const usage = async (text: string): Promise<number> => {
    await process.stderr.write(text);
    return form === 'busybox' ? 1 : 255;
  };
  if (call === undefined) return usage('Usage: ip [ OPTIONS ] address|route|link|neigh|rule [ARGS]\n');
  const { object, families, view } = call;
  if (!OBJECTS.includes(object))
    return usage(
      form === 'busybox'
        ? 'Usage: ip [OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]\n'
        : `Object "${object.slice(0, 64)}" is unknown, try "ip help".\n`,
    );
  const [first = 'show', ...more] = call.words;
  const command = [...SHOWS, 'get', ...CHANGES].find(name => name.startsWith(first));
  if (command !== undefined && CHANGES.includes(command)) return change(process, object, command, form);
  const words = command === undefined ? call.words : more;
  if (object === 'route' && command === 'get') return get(process, stack, words, form);
  switch (object) {
    case 'address':
    case 'link': {
      const name = nameIn(words, ['up', 'scope', 'global']);
      const links = stack.links().filter(link => name === undefined || link.name === name);
      if (name !== undefined && links.length === 0) {
        await process.stderr.write(
          form === 'busybox' ? `ip: can't find device '${name}'\n` : `Device "${name}" does not exist.\n`,
        );
        return 1;
      }
      const shown = object === 'address' ? families : undefined;
      await process.stdout.write(links.map(link => linkLines(link, shown, view)).join(''));
      return 0;
    }
    case 'route': {
      const table = words[words.indexOf('table') + 1];
      if (words.includes('table') && table !== 'main') throw new NotSimulated(`table ${table ?? ''}`);
      // Without a family it is IPv4 that is asked for.
      const family = families.length === 2 ? 'IPv4' : (families[0] ?? 'IPv4');
      await process.stdout.write(routeLines(stack, family, { ...view, dev: valueOf(words, 'dev') }));
      return 0;
    }
    case 'neighbour': {
      const dev = valueOf(words, 'dev');
      const to = words.find(word => familyOf(word) !== undefined);
      const chosen = stack
        .neighbours()
        .filter(({ address, link }) => (dev === undefined || link === dev) && (to === undefined || address === to))
        .filter(({ address }) => families.includes(address.includes(':') ? 'IPv6' : 'IPv4'));
      await process.stdout.write(neighbourLines(chosen, view));
      return 0;
    }
    case 'rule':
      await process.stdout.write(ruleLines(families.length === 1 && families[0] === 'IPv6', form));
      return 0;
    default:
      throw new NotSimulated(`ip ${object}`);
  }
}

const valueOf = (words: readonly string[], name: string): string | undefined => {
  const at = words.indexOf(name);
  return at < 0 ? undefined : words[at + 1];
};

/** "dev eth0" or "eth0". */
const nameIn = (words: readonly string[], others: readonly string[]): string | undefined =>
  valueOf(words, 'dev') ?? words.find(word => !others.includes(word));

async function change(process: Process, object: string, command: string, form: IpForm): Promise<number> {
  if (!mayAdminister(process)) {
    const who = form === 'busybox' ? 'ip: ' : '';
    await process.stderr.write(`${who}RTNETLINK answers: Operation not permitted\n`);
    return 2;
  }
  // A link of its own changes nothing that anybody else sees.
  if (object === 'link' && command === 'add') return 0;
  throw new NotSimulated(`a network that is changed by hand (ip ${object} ${command})`);
}

async function get(process: Process, stack: NetworkStack, words: readonly string[], form: IpForm): Promise<number> {
  const to = words.find(word => familyOf(word) !== undefined);
  if (to === undefined) {
    const what = JSON.stringify((words[0] ?? '').slice(0, 64)).slice(1, -1);
    await process.stderr.write(
      form === 'busybox'
        ? 'ip: need at least destination address\n'
        : `Error: any valid prefix is expected rather than "${what}".\n`,
    );
    return 1;
  }
  const text = routeOf(stack, to, form, process.container.security.credentials.uid);
  if (text !== undefined) {
    await process.stdout.write(text);
    return 0;
  }
  await process.stderr.write(`${form === 'busybox' ? 'ip: ' : ''}RTNETLINK answers: Network is unreachable\n`);
  return 2;
}

import t from 'tap';
import { parseIpsetSave } from '../../../src/dataplane/tools/ipset/parse-save.js';
import { printIpsetSave } from '../../../src/dataplane/tools/ipset/print-save.js';
import { parseIpvsadmSave } from '../../../src/dataplane/tools/ipvsadm/parse-save.js';
import { MAX_LINE_LENGTH } from '../../../src/dataplane/tools/lines.js';
import { emptyKernel } from '../../support/loaded-nodes.js';

interface Row {
  readonly name: string;
  readonly input: string;
  readonly expect: RegExp;
}

const IP = 'create S hash:ip family inet hashsize 1024 maxelem 65536\n';
const NET = 'create S hash:ip,port,net\n';
const PORTS = 'create S bitmap:port range 0-65535\n';

const badSets: readonly Row[] = [
  { name: 'a command', input: `${IP}\nflush S`, expect: /^Error in line 3: Unknown argument: `flush'/ },
  { name: 'no name', input: 'create', expect: /line 1: Missing mandatory argument SETNAME/ },
  { name: 'a type', input: 'create S list:set', expect: /line 1: Syntax error: unknown settype 'list:set'/ },
  { name: 'a long name', input: `create ${'S'.repeat(32)} hash:ip`, expect: /is longer than 31/ },
  { name: 'a set again', input: IP + IP, expect: /line 2: Set cannot be created/ },
  { name: 'another family', input: 'create S hash:ip family inet6', expect: /family inet6 is not simulated/ },
  { name: 'another size', input: 'create S hash:ip maxelem 9', expect: /maxelem 9 is not simulated/ },
  { name: 'an option', input: 'create S hash:ip timeout 9', expect: /Unknown argument: `timeout'/ },
  { name: 'an option without value', input: 'create S hash:ip hashsize', expect: /argument of option hashsize/ },
  { name: 'no number', input: 'create S hash:ip hashsize many', expect: /'many' is invalid as number/ },
  { name: 'no initval', input: 'create S hash:ip initval 12', expect: /'12' is invalid as initval/ },
  { name: 'no range', input: 'create S bitmap:port', expect: /Mandatory option range/ },
  { name: 'another range', input: 'create S bitmap:port range 1-9', expect: /range 1-9 is not simulated/ },
  { name: 'no such set', input: 'add S 10.0.0.1', expect: /line 1: The set with the given name does not exist/ },
  { name: 'no entry', input: `${IP}add S`, expect: /line 2: Missing mandatory argument ENTRY/ },
  { name: 'an option of an entry', input: `${IP}add S 10.0.0.1 timeout 9`, expect: /argument: `timeout'/ },
  { name: 'an entry of another type', input: `${IP}add S 10.0.0.1,tcp:80`, expect: /is no entry of a set/ },
  { name: 'an address of another family', input: `${IP}add S fd00::1`, expect: /fd00::1 is no IPv4 address/ },
  { name: 'a range of another family', input: `${NET}add S 10.0.0.1,tcp:80,::/0`, expect: /:: is no IPv4 address/ },
  { name: 'a port that is none', input: `${PORTS}add S 65536`, expect: /'65536' is out of range/ },
  { name: 'a port behind an address', input: `${NET}add S 10.0.0.1,tcp:70000,10.0.0.0/8`, expect: /out of range/ },
  {
    name: 'an entry again',
    input: `${NET}add S 10.0.0.1,tcp:80,10.1.0.0/8\nadd S 10.0.0.1,tcp:80,10.0.0.0/8`,
    expect: /line 3: Element cannot be added/,
  },
  { name: 'a long line', input: 'a'.repeat(MAX_LINE_LENGTH + 1), expect: /line 1: the line is longer/ },
];

for (const { name, input, expect } of badSets)
  t.test(`ipset refuses ${name}`, async t => void t.throws(() => parseIpsetSave(input, 'IPv4'), expect));

t.test('ipset refuses more elements than a set has place for', async t => {
  const lines = Array.from({ length: 65_536 }, (_, i) => `add S 10.0.${i >> 8}.${i & 255}\n`).join('');
  t.equal(parseIpsetSave(IP + lines, 'IPv4')[0]?.add.length, 65_536);
  t.throws(() => parseIpsetSave(`${IP}${lines}add S 10.1.0.0`, 'IPv4'), /line 65538: Hash is full/);
});

t.test('sets are listed in the order of their numbers, or else of their texts', async t => {
  const kernel = emptyKernel('IPv4');
  const add = ['10.0.0.9', '10.0.0.10', '10.0.0.1'];
  kernel.load({
    ...{ kind: 'ipvs', family: 'IPv4', full: true, virtualServers: [], goneServers: [], sysctls: {} },
    xtables: undefined,
    addresses: { link: 'kube-ipvs0', add: [], remove: [] },
    ipsets: [
      { name: 'P', type: 'bitmap:port', add: ['443', '80', '8080', '9'], remove: [] },
      { name: 'A', type: 'hash:ip', initval: 15, add, remove: [] },
    ],
  });
  t.equal(
    printIpsetSave(kernel),
    `create P bitmap:port range 0-65535
add P 9
add P 80
add P 443
add P 8080
create A hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x0000000f
add A 10.0.0.1
add A 10.0.0.10
add A 10.0.0.9
`,
  );
});

t.test('ipset save is read', async t => {
  t.same(parseIpsetSave(`# saved\n${IP} add S 10.0.0.1 \n\ncreate P bitmap:port range 0-65535\nadd P 80`, 'IPv4'), [
    { name: 'S', type: 'hash:ip', add: ['10.0.0.1'], remove: [] },
    { name: 'P', type: 'bitmap:port', add: ['80'], remove: [] },
  ]);
  const v6 = 'create S hash:ip family inet6 hashsize 2048 bucketsize 12 initval 0x0000000f\nadd S FD00::0:1';
  t.same(parseIpsetSave(v6, 'IPv6'), [{ name: 'S', type: 'hash:ip', initval: 15, add: ['fd00::1'], remove: [] }]);
  t.throws(() => parseIpsetSave('create S hash:ip', 'IPv6'), /family inet is not simulated/);
});

const WEB = '-A -t 10.96.0.1:80 -s rr\n';
const SERVER = '-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 1\n';

/** What ipvsadm has beside what IPVS of ours has. */
const NOT_SIMULATED =
  '-f --fwmark-service -M --netmask -o --ops --pe -6 --ipv6 -g --gatewaying -i --ipip -x --u-threshold -y --l-threshold --tun-type --tun-port --tun-nocsum --tun-csum --tun-remcsum';

const badServers: readonly Row[] = [
  { name: 'a command', input: `${WEB}-D -t 10.96.0.1:80`, expect: /^line 2: -D: only -A and -a are read/ },
  { name: 'no service', input: '-A -s rr', expect: /line 1: You need to supply the 'service-address' option/ },
  { name: 'two protocols', input: '-A -t 10.0.0.1:80 -u 10.0.0.1:80', expect: /protocol option conflict/ },
  { name: 'an option twice', input: '-A -t 10.0.0.1:80 -t 10.0.0.1:80', expect: /multiple '-t' options/ },
  {
    name: 'an address',
    input: '-A -t 10.0.0:80',
    expect: /illegal virtual server address\[:port\] specified: 10.0.0:80/,
  },
  { name: 'an address of another family', input: '-A -t [fd00::1]:80', expect: /illegal virtual server address/ },
  { name: 'no port', input: '-A -t 10.0.0.1', expect: /illegal virtual server/ },
  { name: 'all ports', input: '-A -t 10.0.0.1:0 -p', expect: /illegal virtual server/ },
  { name: 'a scheduler', input: '-A -t 10.0.0.1:80 -s fo', expect: /Scheduler or persistence engine not found: fo/ },
  { name: 'a timeout', input: '-A -t 10.0.0.1:80 -p 0', expect: /illegal timeout specified: 0/ },
  { name: 'flags', input: '-A -t 10.0.0.1:80 -s sh -b sh-fallback', expect: /sh-fallback of scheduler sh/ },
  {
    name: 'flags of another scheduler',
    input: '-A -t 10.0.0.1:80 -s rr -b sh-port',
    expect: /sh-port of scheduler rr/,
  },
  {
    name: 'a timeout of more than 31 days',
    input: '-A -t 10.0.0.1:80 -p 2678401',
    expect: /illegal timeout specified: 2678401/,
  },
  {
    name: 'a number too long to be one',
    input: '-A -t 10.0.0.1:80 -p 1000000000',
    expect: /illegal timeout specified/,
  },
  ...NOT_SIMULATED.split(' ').map(option => ({
    name: `the option ${option}`,
    input: `-A -t 10.0.0.1:80 ${option}`,
    expect: new RegExp(`${option} is not simulated`),
  })),
  { name: 'a netmask', input: '-A -t 10.0.0.1:80 -p 9 -M 255.0.0.0', expect: /-M is not simulated/ },
  { name: 'an unknown option', input: '-A -t 10.0.0.1:80 --nothing', expect: /unknown option "--nothing"/ },
  {
    name: 'an option of the other',
    input: '-A -t 10.0.0.1:80 -w 1',
    expect: /Illegal '-w' option with the 'add-service'/,
  },
  { name: 'no value', input: '-A -t', expect: /option "-t" requires an argument/ },
  { name: 'a service again', input: WEB + WEB, expect: /line 2: Service already exists/ },
  { name: 'a server of none', input: SERVER, expect: /line 1: Service not defined/ },
  { name: 'a server again', input: WEB + SERVER + SERVER, expect: /line 3: Destination already exists/ },
  { name: 'no server', input: `${WEB}-a -t 10.96.0.1:80 -m`, expect: /'real-server' option/ },
  { name: 'direct routing', input: `${WEB}-a -t 10.96.0.1:80 -r 10.0.0.1:80`, expect: /only masquerading/ },
  { name: 'a weight', input: WEB + SERVER.replace('-w 1', '-w 65536'), expect: /illegal weight specified: 65536/ },
];

for (const { name, input, expect } of badServers)
  t.test(`ipvsadm refuses ${name}`, async t => void t.throws(() => parseIpvsadmSave(input, 'IPv4'), expect));

t.test('ipvsadm -Sn is read', async t => {
  const text = `${WEB}${SERVER}--add-service --udp-service 10.96.0.1:80 -p --scheduler mh -b mh-port\n-A --sctp-service 10.0.0.2:9`;
  t.same(parseIpvsadmSave(text, 'IPv4'), [
    {
      protocol: 'tcp',
      address: '10.96.0.1',
      port: 80,
      scheduler: 'rr',
      realServers: [{ address: '10.0.0.1', port: 8080, weight: 1 }],
    },
    {
      protocol: 'udp',
      address: '10.96.0.1',
      port: 80,
      scheduler: 'mh',
      persistentSeconds: 300,
      hashesPort: true,
      realServers: [],
    },
    { protocol: 'sctp', address: '10.0.0.2', port: 9, scheduler: 'wlc', realServers: [] },
  ]);
  t.match(parseIpvsadmSave('-A -t 10.0.0.1:65535 -s sh -b sh-port -p 2678400', 'IPv4'), [
    { port: 65_535, scheduler: 'sh', hashesPort: true, persistentSeconds: 2_678_400 },
  ]);
  t.match(parseIpvsadmSave('-A -t 10.0.0.1:1 -p 1\n-a -t 10.0.0.1:1 -r 10.0.0.2:1 -m -w 0', 'IPv4'), [
    { persistentSeconds: 1, realServers: [{ weight: 0 }] },
  ]);
  t.match(parseIpvsadmSave('-A -t [FD00::0:1]:80 -s rr -p 10', 'IPv6'), [
    { address: 'fd00::1', persistentSeconds: 10 },
  ]);
});

/** Chains that hold rules of all Services, which kube-proxy walks in random order. */
const SHARED_CHAINS = new Set(['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL']);
/** Sorts after every Service: rules of none, such as the node ports' last one. */
const OF_NO_SERVICE = '\uffff';

/** "table chain" → its policy and its rules. */
type Chains = Map<string, { policy: string; rules: string[] }>;

/** Where the kernel can count with nfacct, kube-proxy counts some packets by further rules and matches. */
const COUNTS_ONLY = '--nfacct-name localhost_nps_accepted_pkts';

function parse(text: string): Chains {
  const chains: Chains = new Map();
  let table = '';
  const chain = (name: string): { policy: string; rules: string[] } => {
    const key = `${table} ${name}`;
    const found = chains.get(key) ?? { policy: '', rules: [] };
    chains.set(key, found);
    return found;
  };
  for (const line of text.split('\n').map(plain)) {
    if (line === '' || line === 'COMMIT' || line.startsWith('#')) continue;
    const [first = '', second = ''] = line.split(' ', 2);
    if (line.startsWith('*')) table = first.slice(1);
    else if (line.startsWith(':')) chain(first.slice(1)).policy = second;
    else if (first !== '-A') throw new Error(`not of iptables-save: ${line}`);
    else if (!line.includes(COUNTS_ONLY)) chain(second).rules.push(ruleOf(line.slice(`-A ${second}`.length)));
  }
  for (const [key, { rules }] of chains) if (SHARED_CHAINS.has(key.split(' ')[1] ?? '')) sortByService(rules);
  return chains;
}

/** Without counters; some matches print two blanks. */
const plain = (line: string): string =>
  line
    .trim()
    .replace(/^\[\d+:\d+\] /, '')
    .replace(/\s+/g, ' ');

const ruleOf = (text: string): string =>
  text
    .trim()
    .replace(/ -m nfacct --nfacct-name \S+/g, '')
    // What needs no quotes may have them.
    .replace(/--comment "([\w./:-]+)"/g, '--comment $1');

/** Rules of one Service keep their order. */
function sortByService(rules: string[]): void {
  const service = (rule: string): string => /--comment "?([a-z0-9.-]+\/[^\s"]+)/.exec(rule)?.[1] ?? OF_NO_SERVICE;
  rules.sort((a, b) => {
    const [x, y] = [service(a), service(b)];
    if (x !== y) return x < y ? -1 : 1;
    return x === OF_NO_SERVICE && a !== b ? (a < b ? -1 : 1) : 0;
  });
}

/** What two texts of iptables-save differ in: order of tables and chains apart, and of Services in chains that all share. */
export function saveTextDifferences(expected: string, actual: string): string[] {
  const [x, y] = [parse(expected), parse(actual)];
  return [...new Set([...x.keys(), ...y.keys()])].sort().flatMap(key => {
    const [wanted, got] = [x.get(key), y.get(key)];
    if (wanted === undefined) return [`+ chain ${key}`];
    if (got === undefined) return [`- chain ${key}`];
    const policies = wanted.policy === got.policy ? [] : [`policy ${wanted.policy}, not ${got.policy}`];
    const same = wanted.rules.length === got.rules.length && wanted.rules.every((rule, i) => rule === got.rules[i]);
    const rules = same ? [] : [...wanted.rules.map(rule => `- ${rule}`), ...got.rules.map(rule => `+ ${rule}`)];
    return [...policies, ...rules].map(line => `${key}: ${line}`);
  });
}

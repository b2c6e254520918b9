/** A chain, set or map: what it says of itself, and its rules or elements. */
interface Block {
  head: string[];
  items: string[];
}

/** "ip kube-proxy chain services" → the block. Of a chain the rules keep their order, of a set the elements have none. */
function parse(text: string): Map<string, Block> {
  const blocks = new Map<string, Block>();
  let table = '';
  let block: Block | undefined;
  let kind = '';
  for (const line of joinedLines(text)) {
    const opens = /^(table|set|map|chain) (.*) \{$/.exec(line);
    if (opens?.[1] === 'table') {
      table = opens[2] ?? '';
      blocks.set(table, (block = { head: [], items: [] }));
      kind = 'table';
    } else if (opens !== null) {
      kind = opens[1] ?? '';
      blocks.set(`${table} ${kind} ${opens[2] ?? ''}`, (block = { head: [], items: [] }));
    } else if (line === '}') kind = '';
    else if (line.startsWith('elements = ')) block?.items.push(...elementsOf(line));
    else if (kind === 'chain' && !/^(?:type \w+ hook|comment ")/.test(line)) block?.items.push(withoutOrder(line));
    else block?.head.push(line.replace('priority filter;', 'priority 0;'));
  }
  // What packets have taught a set is not of the proxy.
  for (const { head, items } of blocks.values()) if (head.some(line => line.includes('dynamic'))) items.length = 0;
  return blocks;
}

/** Trimmed lines, those of one list of elements as one. */
function joinedLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    const whole = open === undefined ? line : `${open} ${line}`;
    const isOpen = whole.startsWith('elements = ') && !whole.endsWith('}');
    if (!isOpen) lines.push(whole);
    open = isOpen ? whole : undefined;
  }
  return lines;
}

const elementsOf = (line: string): string[] =>
  line
    .replace(/^elements = \{ /, '')
    .replace(/ \}$/, '')
    .split(/, */)
    .sort();

const withoutOrder = (rule: string): string =>
  rule.replace(/\{ ([^{}]*) \}/g, (_all, inner: string) => `{ ${inner.split(', ').sort().join(', ')} }`);

/** What two texts of `nft list table` differ in, the order of blocks and elements apart. */
export function nftTextDifferences(expected: string, actual: string): string[] {
  const [x, y] = [parse(expected), parse(actual)];
  return [...new Set([...x.keys(), ...y.keys()])].sort().flatMap(name => {
    const [a, b] = [x.get(name), y.get(name)];
    if (a === undefined) return [`${name}: should not be there`];
    if (b === undefined) return [`${name}: is missing`];
    const lines = (block: Block): string => [...block.head, ...block.items].join('\n');
    return lines(a) === lines(b) ? [] : [`${name}:\n${lines(a)}\nis not\n${lines(b)}`];
  });
}

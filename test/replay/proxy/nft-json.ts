type Item = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The text of nft's JSON: on one line, as jansson writes it. */
const SHAPE =
  /^\{"nftables": \[\{"metainfo": \{"version": "[^"]*", "release_name": "[^"]*", "json_schema_version": 1\}\}/;

/** Members in the order in which they stand, elements in none; of a set that packets fill none. */
function textOf(body: Item[string]): string {
  const { handle: _handle, elem, ...rest } = body;
  const elements =
    Array.isArray(elem) && rest['flags'] === undefined ? elem.map(one => JSON.stringify(one)).sort() : [];
  return JSON.stringify({ ...rest, elem: elements });
}

/** "ip kube-proxy chain services" → what it says of itself; of a chain also its rules, in order. */
function parse(text: string): Map<string, string[]> {
  const blocks = new Map<string, string[]>();
  for (const item of (JSON.parse(text) as { nftables: readonly Item[] }).nftables)
    for (const [kind, body] of Object.entries(item)) {
      if (kind === 'metainfo') continue;
      const { family, table, name, chain } = body;
      const of = kind === 'rule' ? ['chain', chain] : kind === 'table' ? [] : [kind, name];
      const place = [family, kind === 'table' ? name : table, ...of].join(' ');
      blocks.set(place, [...(blocks.get(place) ?? []), textOf(body)]);
    }
  return blocks;
}

/** What two texts of `nft -j list ruleset` differ in, the order of objects and elements, handles and versions apart. */
export function nftJsonDifferences(expected: string, actual: string): string[] {
  if (!SHAPE.test(expected) || !SHAPE.test(actual))
    return [`${actual.slice(0, 120)}\nis not\n${expected.slice(0, 120)}`];
  const [x, y] = [parse(expected), parse(actual)];
  return [...new Set([...x.keys(), ...y.keys()])].sort().flatMap(name => {
    const [a, b] = [x.get(name)?.join('\n') ?? 'nothing', y.get(name)?.join('\n') ?? 'nothing'];
    return a === b ? [] : [`${name}:\n${a}\nis not\n${b}`];
  });
}

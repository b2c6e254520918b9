import t from 'tap';
import { parseIpsetSave } from '../../../src/dataplane/tools/ipset/parse-save.js';
import { parseRestore } from '../../../src/dataplane/tools/iptables/parse.js';
import { parseIpvsadmSave } from '../../../src/dataplane/tools/ipvsadm/parse-save.js';
import { MAX_LINE_LENGTH, TEXT_LIMITS, type TextLimits } from '../../../src/dataplane/tools/lines.js';
import { parseNftJson } from '../../../src/dataplane/tools/nft/json/parse-ruleset.js';
import { parseNftScript } from '../../../src/dataplane/tools/nft/parse-script.js';

interface Row {
  readonly tool: string;
  readonly parse: (text: string, limits?: TextLimits) => unknown;
  /** Lines that say something. */
  readonly text: string;
}

const rows: readonly Row[] = [
  {
    tool: 'iptables-save',
    parse: (text, limits) => [...parseRestore(text, 'IPv4', limits)],
    text: '*filter\n:A - [0:0]\n-A A -j DROP\nCOMMIT\n',
  },
  {
    tool: 'ipset save',
    parse: (text, limits) => parseIpsetSave(text, 'IPv4', limits),
    text: 'create S hash:ip family inet hashsize 1024 maxelem 65536\nadd S 10.0.0.1\nadd S 10.0.0.2\n',
  },
  {
    tool: 'ipvsadm -Sn',
    parse: (text, limits) => parseIpvsadmSave(text, 'IPv4', limits),
    text: '-A -t 10.96.0.1:443 -s rr\n-a -t 10.96.0.1:443 -r 10.0.0.1:6443 -m -w 1\n\n',
  },
  {
    tool: 'nft -f',
    parse: (text, limits) => parseNftScript(text, 'IPv4', limits),
    text: 'add table ip kube-proxy\nadd chain ip kube-proxy a\nadd rule ip kube-proxy a drop\n',
  },
];

for (const { tool, parse, text } of rows)
  t.test(`${tool}: how long a text may be`, async t => {
    const lines = text.split('\n').length;
    t.doesNotThrow(() => parse(text), 'as it is');
    t.doesNotThrow(() => parse(text, { characters: text.length, lines }), 'up to the limits');
    t.throws(() => parse(text, { characters: text.length - 1, lines }), {
      name: 'NetfilterError',
      message: `the text is longer than ${text.length - 1} characters`,
    });
    t.throws(() => parse(text, { characters: text.length, lines: lines - 1 }), {
      name: 'NetfilterError',
      message: `the text has more than ${lines - 1} lines`,
    });
    t.throws(() => parse('\n'.repeat(TEXT_LIMITS.lines)), {
      message: `the text has more than ${TEXT_LIMITS.lines} lines`,
    });
    t.throws(() => parse(' '.repeat(TEXT_LIMITS.characters + 1)), { message: /^the text is longer than/ });
    t.throws(() => parse('a'.repeat(MAX_LINE_LENGTH + 1)), { message: /longer than/ }, 'a line or a word');
  });

const THREE = Array.from({ length: 3 }, () => '{"metainfo": {}}');
const json = (...items: readonly string[]): string => `{"nftables": [${items.join(', ')}]}`;

t.test('nft -j: how long a text may be, and how much may be in it', async t => {
  const text = json(...THREE);
  const parse = (text: string, limits?: TextLimits): unknown => parseNftJson(text, 'IPv4', limits);
  t.doesNotThrow(() => parse(text, { characters: text.length, lines: 3 }), 'up to the limits');
  const refused: readonly { readonly name: string; readonly input: string; readonly lines?: number; expect: RegExp }[] =
    [
      { name: 'characters', input: `${text} `, expect: /^the text is longer than/ },
      { name: 'objects', input: text, lines: 2, expect: /there are more than 2 objects$/ },
      {
        name: 'values of one',
        input: json('[1, 2, 3]'),
        lines: 2,
        expect: /:1:20-20: Error: it has more than 2 values$/,
      },
      { name: 'arrays in one', input: json('[[][]'), lines: 2, expect: /it has more than 2 values$/ },
      { name: 'depth', input: json('['.repeat(33)), lines: 100, expect: /it is nested deeper than 32$/ },
      {
        name: 'a name',
        input: json(`{"table": {"family": "ip", "name": "${'a'.repeat(256)}"}}`),
        expect: /longer than 255$/,
      },
    ];
  for (const { name, input, lines = 3, expect } of refused)
    t.throws(
      () => parse(input, { characters: name === 'characters' ? text.length : 1000, lines }),
      { name: 'NetfilterError', message: expect },
      name,
    );
});

import t from 'tap';
import { parseIpsetSave } from '../../../src/dataplane/tools/ipset/parse-save.js';
import { parseRestore } from '../../../src/dataplane/tools/iptables/parse.js';
import { parseIpvsadmSave } from '../../../src/dataplane/tools/ipvsadm/parse-save.js';
import { MAX_LINE_LENGTH, TEXT_LIMITS, type TextLimits } from '../../../src/dataplane/tools/lines.js';
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

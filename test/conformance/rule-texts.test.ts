import { readFileSync } from 'node:fs';
import t from 'tap';
import type { IpvsProgram } from '../../src/dataplane/kernel/program.js';
import { parseIpsetSave } from '../../src/dataplane/tools/ipset/parse-save.js';
import { printIpsetSave } from '../../src/dataplane/tools/ipset/print-save.js';
import { parseIpvsadmSave } from '../../src/dataplane/tools/ipvsadm/parse-save.js';
import { printIpvsadmSave } from '../../src/dataplane/tools/ipvsadm/print-save.js';
import { parseNftJson } from '../../src/dataplane/tools/nft/json/parse-ruleset.js';
import { printNftJsonScript } from '../../src/dataplane/tools/nft/json/print-commands.js';
import { printNftJson } from '../../src/dataplane/tools/nft/json/print-ruleset.js';
import { printNftList } from '../../src/dataplane/tools/nft/print-list.js';
import { printNftScript } from '../../src/dataplane/tools/nft/print-script.js';
import { parseNftScript } from '../../src/dataplane/tools/nft/parse-script.js';
import type { Family } from '../../src/machinery/ip.js';
import { nftTextDifferences } from '../replay/proxy/nft-text.js';
import type { Case, Step } from '../replay/proxy/types.js';
import { ownRecordings, parseRecording } from '../replay/recordings.js';
import { emptyKernel, loadedNodes } from '../support/loaded-nodes.js';

/*
 * Print, parse, load, print is the identity: of all that the proxy loads for worked examples, recordings and random
 * clusters.
 */
const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const CLUSTERS = 20;

t.setTimeout(240_000);

/** nft's JSON leaves out those of tables and chains. */
const withoutComments = (list: string): string =>
  list
    .replaceAll(/^(table .* \{\n\tcomment) ".*"$/gm, '$1 ""')
    .replaceAll(/^(\tchain .* \{\n(?:\t\ttype .*\n)?)\t\tcomment ".*"\n/gm, '$1');

const ipvsProgram = (family: Family, parts: Partial<IpvsProgram>): IpvsProgram => ({
  kind: 'ipvs',
  family,
  full: true,
  virtualServers: [],
  goneServers: [],
  ipsets: [],
  addresses: { link: 'kube-ipvs0', add: [], remove: [] },
  sysctls: {},
  xtables: undefined,
  ...parts,
});

for (const family of FAMILIES)
  t.test(`what ipset and ipvsadm save, ${family}`, async t => {
    let texts = 0;
    for (const { name, kernel } of loadedNodes('ipvs', family, CLUSTERS)) {
      const [ipset, ipvsadm] = [printIpsetSave(kernel), printIpvsadmSave(kernel)];
      const own = emptyKernel(family);
      const ipsets = parseIpsetSave(ipset, family);
      own.load(ipvsProgram(family, { ipsets, virtualServers: parseIpvsadmSave(ipvsadm, family) }));
      if (!t.equal(printIpsetSave(own), ipset, `${name}: ipset`)) break;
      if (!t.equal(printIpvsadmSave(own), ipvsadm, `${name}: ipvsadm`)) break;
      texts++;
    }
    t.ok(texts > CLUSTERS + 40, `${texts} kernels`);
  });

for (const family of FAMILIES)
  t.test(`what nft lists and is given, ${family}`, async t => {
    let texts = 0;
    let replayed = emptyKernel(family);
    for (const { name, kernel, program } of loadedNodes('nftables', family, CLUSTERS)) {
      if (program.kind !== 'nftables') return void t.fail(`${name} is a program of ${program.kind}`);
      const script = printNftScript(program);
      const parsed = parseNftScript(script, family);
      if (!t.equal(parsed.map(printNftScript).join(''), script, `${name}: the script`)) break;
      const jsonScript = printNftJsonScript(program);
      const parsedJson = parseNftJson(jsonScript, family);
      if (!t.equal(parsedJson.map(printNftJsonScript).join(''), jsonScript, `${name}: the script, as JSON`)) break;
      if (!t.equal(parsedJson.map(printNftScript).join(''), script, `${name}: the script of the JSON`)) break;
      // Programs of a recording follow each other.
      if (program.full) replayed = emptyKernel(family);
      for (const one of parsed) replayed.load(one);
      const list = printNftList(kernel);
      if (!t.equal(printNftList(replayed), list, `${name}: the script, listed`)) break;
      const own = emptyKernel(family);
      for (const one of parseNftScript(list, family)) own.load(one);
      if (!t.equal(printNftList(own), list, `${name}: the list`)) break;
      const json = printNftJson(kernel);
      if (!t.equal(printNftJson(own), json, `${name}: the list, as JSON`)) break;
      const ofJson = emptyKernel(family);
      for (const one of parseNftJson(json, family)) ofJson.load(one);
      if (!t.equal(printNftJson(ofJson), json, `${name}: the JSON`)) break;
      if (!t.equal(printNftList(ofJson), withoutComments(list), `${name}: the JSON, listed`)) break;
      texts++;
    }
    t.ok(texts > CLUSTERS + 40, `${texts} kernels`);
  });

for (const [family, key] of [
  ['IPv4', 'v4'],
  ['IPv6', 'v6'],
] as const)
  t.test(`what the real nft listed, ${family}`, async t => {
    let texts = 0;
    for (const text of ownRecordings('proxy').values()) {
      const { head, steps } = parseRecording<Case, Step>(text);
      for (const { about, rules } of steps) {
        const own = emptyKernel(family);
        for (const one of parseNftScript(rules.nftables[key], family)) own.load(one);
        t.same(nftTextDifferences(rules.nftables[key], printNftList(own)), [], `${head.name}: ${about}`);
        texts++;
      }
    }
    t.ok(texts > 40, `${texts} texts`);
  });

/** Without what the hash begins with, in an order of their own. */
const entriesOf = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.replace(/ bucketsize .*/, ''))
    .sort();

for (const name of ['V1', 'V2'])
  t.test(`what the real ipset saved, ${name}`, async t => {
    const text = readFileSync(`test/fixtures/ipvs/${name}.ipset`, 'utf8');
    const own = emptyKernel('IPv4');
    own.load(ipvsProgram('IPv4', { ipsets: parseIpsetSave(text, 'IPv4') }));
    t.same(entriesOf(printIpsetSave(own)), entriesOf(text));
  });

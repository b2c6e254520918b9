import type { Json } from '../../../../machinery/types.js';
import type { NftAddresses, NftExpression, NftField, NftRule, NftVerdict } from '../../../kernel/nftables/rule.js';
import type { Family } from '../../../packet.js';
import { givenRange, type ListedRange, listedRanges } from '../addresses-text.js';
import { ipOf } from '../family-name.js';
import type { Form } from '../rule-text.js';

export const verdictJson = (verdict: NftVerdict): Json =>
  verdict.kind === 'jump' || verdict.kind === 'goto'
    ? { [verdict.kind]: { target: verdict.chain } }
    : { [verdict.kind]: null };

const match = (left: Json, right: Json, op = '=='): Json => ({ match: { op, left, right } });
const differs = (invert: boolean | undefined): '==' | '!=' => (invert === true ? '!=' : '==');
const payload = (protocol: string, field: string): Json => ({ payload: { protocol, field } });
const meta = (key: string): Json => ({ meta: { key } });

function fieldJson(field: NftField, family: Family): Json {
  switch (field) {
    case 'saddr':
    case 'daddr':
      return payload(ipOf(family), field);
    case 'l4proto':
      return meta('l4proto');
    case 'dport':
      return payload('th', 'dport');
  }
}

function rangeJson(range: ListedRange): Json {
  switch (range.kind) {
    case 'address':
      return range.address;
    case 'prefix':
      return { prefix: { addr: range.address, len: range.length } };
    case 'range':
      return { range: [range.first, range.last] };
  }
}

function addressesJson(addresses: NftAddresses, family: Family, form: Form): Json {
  if (addresses.kind === 'set') return `@${addresses.name}`;
  const { elements } = addresses;
  const ranges = (form === 'list' ? listedRanges(elements, family) : elements.map(givenRange)).map(rangeJson);
  return elements.length === 1 ? (ranges[0] ?? null) : { set: ranges };
}

function expressionJson(expression: NftExpression, family: Family, form: Form): Json {
  switch (expression.kind) {
    case 'address': {
      const { side, addresses, invert } = expression;
      return match(fieldJson(side, family), addressesJson(addresses, family, form), differs(invert));
    }
    case 'ctState':
      return match({ ct: { key: 'state' } }, expression.state.toLowerCase(), 'in');
    case 'l4proto':
      return match(meta('l4proto'), expression.protocol);
    case 'fibLocal':
      return match({ fib: { result: 'type', flags: [expression.side] } }, 'local');
    case 'iifname':
      return match(meta('iifname'), expression.name, differs(expression.invert));
    case 'markClear':
      return match({ '&': [meta('mark'), expression.mask] }, 0);
    case 'vmap': {
      const fields = expression.key.map(field => fieldJson(field, family));
      const [only] = fields;
      const key = fields.length === 1 && only !== undefined ? only : { concat: fields };
      return { vmap: { key, data: `@${expression.map}` } };
    }
    case 'numgen': {
      const { verdicts } = expression;
      const key = { numgen: { mode: 'random', mod: verdicts.length, offset: 0 } };
      return { vmap: { key, data: { set: verdicts.map((verdict, i) => [i, verdictJson(verdict)]) } } };
    }
    case 'update':
      return { set: { op: 'update', elem: fieldJson(expression.side, family), set: `@${expression.set}` } };
    case 'mark': {
      const operator = expression.op === 'or' ? '|' : '^';
      return { mangle: { key: meta('mark'), value: { [operator]: [meta('mark'), expression.value] } } };
    }
    case 'dnat':
      return { dnat: { addr: expression.address, port: expression.port } };
    case 'masquerade':
      return { masquerade: { flags: 'fully-random' } };
    case 'reject':
      return { reject: { type: family === 'IPv4' ? 'icmp' : 'icmpv6', expr: 'port-unreachable' } };
    case 'verdict':
      return verdictJson(expression.verdict);
  }
}

/** What stands behind `expr`. */
export const expressionsJson = ({ expressions }: NftRule, family: Family, form: Form = 'list'): Json[] =>
  expressions.map(expression => expressionJson(expression, family, form));

/** How many sets without a name the rule has: each has a handle too. */
export const anonymousSets = ({ expressions }: NftRule): number =>
  expressions.filter(
    one =>
      one.kind === 'numgen' ||
      (one.kind === 'address' && one.addresses.kind === 'listed' && one.addresses.elements.length > 1),
  ).length;

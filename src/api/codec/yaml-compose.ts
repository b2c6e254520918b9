import type { Steps } from '../../machinery/steps.js';
import { formatGo, formatGoSyntax, quote } from '../../machinery/go-text.js';
import { compositionError, type MapNode, type YamlNode } from './yaml-document.js';
import { scalarValue, type ScalarValue } from './yaml-scalar.js';

/** A value as JSON has it, but for the keys of maps, which may be anything scalar. */
type Value = ScalarValue | Value[] | ValueMap;
type ValueMap = Map<ScalarValue, Value>;

/** The message has no "yaml: " in front: it comes from the conversion to JSON. */
export class YamlConversionError extends Error {
  override readonly name = 'YamlConversionError';
}

/**
 * JSON of a document, as sigs.k8s.io/yaml makes it of what go-yaml decodes, and the keys that it gives twice.
 * @throws YamlSyntaxError, YamlConversionError
 */
export function* composeJson(node: YamlNode): Steps<{ json: string; duplicateKeys: readonly string[] }> {
  const composer = new Composer();
  const value = yield* composer.value(node);
  yield;
  return { json: yield* toJson(value), duplicateKeys: composer.duplicateKeys };
}

const isMerge = (node: YamlNode): boolean =>
  node.kind === 'scalar' && node.text === '<<' && (node.plain || node.tag === 'tag:yaml.org,2002:merge');

/** How much of a document may be repetition by alias: nearly all of a small one, a tenth of a huge one. */
function allowedAliasRatio(decoded: number): number {
  if (decoded <= 400_000) return 0.99;
  return decoded >= 4_000_000 ? 0.1 : 0.99 - 0.89 * ((decoded - 400_000) / 3_600_000);
}

class Composer {
  readonly duplicateKeys: string[] = [];
  private readonly following = new Set<YamlNode>();
  private decoded = 0;
  private repeated = 0;

  *value(node: YamlNode): Steps<Value> {
    this.count();
    if (this.decoded % NODES_PER_STEP === 0) yield;
    switch (node.kind) {
      case 'scalar':
        return scalarValue(node);
      case 'list': {
        const list: Value[] = [];
        for (const item of node.items) list.push(yield* this.value(item));
        return list;
      }
      case 'map': {
        const map: ValueMap = new Map();
        yield* this.fill(map, node);
        return map;
      }
      case 'alias':
        if (this.following.has(node)) throw compositionError(`anchor '${node.name}' value contains itself`);
        this.following.add(node);
        try {
          return yield* this.value(node.node);
        } finally {
          this.following.delete(node);
        }
    }
  }

  private count(): void {
    this.decoded++;
    if (this.following.size > 0) this.repeated++;
    if (this.repeated <= 100 || this.decoded <= 1000) return;
    if (this.repeated / this.decoded > allowedAliasRatio(this.decoded))
      throw compositionError('document contains excessive aliasing');
  }

  private *fill(map: ValueMap, { pairs }: MapNode): Steps<void> {
    for (const [keyNode, valueNode] of pairs) {
      if (isMerge(keyNode)) {
        yield* this.merge(map, valueNode);
        continue;
      }
      const key = yield* this.value(keyNode);
      if (typeof key === 'object' && key !== null) throw compositionError(`invalid map key: ${goSyntax(key)}`);
      const value = yield* this.value(valueNode);
      if (map.has(key)) this.duplicateKeys.push(`line ${valueNode.line + 1}: key ${goSyntax(key)} already set in map`);
      map.set(key, value);
    }
  }

  private *merge(map: ValueMap, node: YamlNode): Steps<void> {
    // Earlier maps of a list win, so they come last.
    for (const source of node.kind === 'list' ? [...node.items].reverse() : [node]) {
      const target = source.kind === 'alias' ? source.node : source;
      if (target.kind !== 'map') throw compositionError('map merge requires map or sequence of maps as the value');
      yield* this.fill(map, target);
    }
  }
}

/** So many nodes, or values, are a step. */
const NODES_PER_STEP = 512;

function* toJson(value: Value): Steps<string> {
  if (Array.isArray(value)) {
    let text = '[';
    for (let i = 0; i < value.length; i++) {
      if (i % NODES_PER_STEP === NODES_PER_STEP - 1) yield;
      const item = value[i] as Value;
      text += (i === 0 ? '' : ',') + (isScalar(item) ? scalarJson(item) : yield* toJson(item));
    }
    return `${text}]`;
  }
  if (!(value instanceof Map)) return scalarJson(value);
  // Go writes maps with sorted keys, which texts show that quote the document.
  const members = new Map([...value].map(([key, member]) => [keyText(key, member), member]));
  const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
  let text = '{';
  for (const [i, [key, member]] of sorted.entries()) {
    if (i % NODES_PER_STEP === 0) yield;
    text += `${i === 0 ? '' : ','}${JSON.stringify(key)}:`;
    text += isScalar(member) ? scalarJson(member) : yield* toJson(member);
  }
  return `${text}}`;
}

const isScalar = (value: Value): value is ScalarValue => !Array.isArray(value) && !(value instanceof Map);

function scalarJson(value: ScalarValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new YamlConversionError(
      `json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`,
    );
  }
  return JSON.stringify(value);
}

function keyText(key: ScalarValue, value: Value): string {
  if (key === null) {
    throw new YamlConversionError(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${goSyntax(value)}`);
  }
  if (typeof key !== 'number') return String(key);
  if (Number.isNaN(key)) return '.nan';
  return Number.isFinite(key)
    ? formatGo(Math.fround(key) === key ? key : Number(key.toPrecision(7)))
    : key > 0
      ? '.inf'
      : '-.inf';
}

/** %#v of what go-yaml decodes. */
function goSyntax(value: Value): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[]interface {}{${value.map(innerSyntax).join(', ')}}`;
  if (!(value instanceof Map)) return formatGoSyntax(value);
  const members = [...value].map(([key, member]) => `${innerSyntax(key)}:${innerSyntax(member)}`).sort();
  return `map[interface {}]interface {}{${members.join(', ')}}`;
}

const innerSyntax = (value: Value): string => (value === null ? 'interface {}(nil)' : goSyntax(value));

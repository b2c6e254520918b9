import { sortedMap } from './formats.js';
import { GO_LAYOUTS } from './go-layouts.js';

/**
 * Upstream validates its internal types, which have no JSON tags: where a message shows a whole struct, it shows Go's
 * field names, in Go's order, with null for what is not set. go-layouts.ts lists those structs, one line each.
 */
interface GoField {
  /** Name on the wire. */
  readonly json: string;
  /** Name in Go, '' for the fields of an embedded struct that has JSON tags. */
  readonly go: string;
  readonly zero: unknown;
  readonly struct?: string;
  readonly shape: 'value' | 'struct' | 'pointer' | 'list' | 'map' | 'inline';
}

type Plain = Readonly<Record<string, unknown>>;

const ZEROS: Readonly<Record<string, unknown>> = { s: '', i: 0, b: false, '*': null };

/** "Type:s" is a string, ":i" a number, ":b" a boolean, ":*" a pointer, list or map as it is on the wire; the rest names structs. */
function parseField(text: string): GoField {
  const match = /^(\w+)(?:=([\w/]+))?:(.+)$/.exec(text);
  if (match === null) throw new Error(`bad layout field ${text}`);
  const [, go = '', jsonName, type = ''] = match;
  const json = jsonName ?? lowerFirst(go);
  if (type in ZEROS) return { json, go, zero: ZEROS[type], shape: 'value' };
  if (type === '...') return { json, go: '', zero: null, shape: 'inline' };
  const struct = type.replace(/[*[\]{}]/g, '');
  if (type.startsWith('[')) return { json, go, zero: null, struct, shape: 'list' };
  if (type.startsWith('{')) return { json, go, zero: null, struct, shape: 'map' };
  return { json, go, zero: null, struct, shape: type.startsWith('*') ? 'pointer' : 'struct' };
}

/** DNSPolicy → dnsPolicy, SELinuxOptions needs its own name ("seLinuxOptions"). */
const lowerFirst = (name: string): string => {
  const acronym = /^[A-Z]+(?=[A-Z][a-z]|$)/.exec(name)?.[0] ?? name.slice(0, 1);
  return acronym.toLowerCase() + name.slice(acronym.length);
};

const parsed = new Map<string, readonly GoField[]>();

function layoutOf(struct: string): readonly GoField[] {
  const known = parsed.get(struct);
  if (known !== undefined) return known;
  const text = GO_LAYOUTS[struct];
  if (text === undefined) throw new Error(`no layout of ${struct}`);
  const fields = text.split(' ').map(parseField);
  parsed.set(struct, fields);
  return fields;
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

const isStringMap = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every(item => typeof item === 'string');

/** The value as upstream's JSON encoder prints it; `struct` names a layout. */
export function goForm(struct: string, value: unknown): Plain {
  const source = (value ?? {}) as Plain;
  const out: Record<string, unknown> = {};
  for (const field of layoutOf(struct)) {
    const item = source[field.json];
    const nested = field.struct ?? '';
    switch (field.shape) {
      case 'value':
        out[field.go] = isStringMap(item) ? sortedMap(item) : (item ?? field.zero);
        break;
      case 'inline':
        Object.assign(out, item);
        break;
      case 'list':
        out[field.go] = Array.isArray(item) && item.length > 0 ? item.map(one => goForm(nested, one)) : null;
        break;
      case 'map':
        out[field.go] = isSet(item)
          ? Object.fromEntries(Object.entries(item as Plain).map(([key, one]) => [key, goForm(nested, one)]))
          : null;
        break;
      case 'pointer':
        out[field.go] = isSet(item) ? goForm(nested, item) : null;
        break;
      case 'struct':
        out[field.go] = goForm(nested, item);
    }
  }
  return out;
}

/** A PodSpec: the host namespaces live in the security context internally. */
export function goPodSpec(spec: unknown): Plain {
  const source = (spec ?? {}) as Plain;
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, securityContext, ...rest } = source;
  const host = { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  return goForm('PodSpec', { ...rest, securityContext: { ...host, ...(securityContext as Plain | undefined) } });
}

/** A PodTemplateSpec, whose metadata has JSON tags. */
export function goPodTemplate(template: unknown): Plain {
  const { metadata, spec } = (template ?? {}) as { metadata?: Plain; spec?: unknown };
  const shown = Object.entries(metadata ?? {}).map(([key, value]) => [
    key,
    isStringMap(value) ? sortedMap(value) : value,
  ]);
  return { ...(Object.fromEntries(shown) as Plain), Spec: goPodSpec(spec) };
}

const MAX_NAME = 253;
const NAME = /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_-])?$/;
const PORT = /^\d{1,5}$/;

/**
 * The name that a Host header asks for, lower case, without its port: "Shop.example.com:8080" is "shop.example.com". An IPv6 address is
 * without brackets. Undefined: the header is no host.
 */
export function hostName(header: string): string | undefined {
  if (header.length > MAX_NAME + 8) return undefined;
  const text = header.toLowerCase();
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    const address = text.slice(1, end);
    return end > 0 && /^[0-9a-f:.]+$/.test(address) && isPort(text.slice(end + 1)) ? address : undefined;
  }
  const colon = text.indexOf(':');
  const whole = colon < 0 ? text : text.slice(0, colon);
  // A name may end with the root's dot: it is the same name.
  const name = whole.endsWith('.') ? whole.slice(0, -1) : whole;
  return name.length <= MAX_NAME && NAME.test(name) && isPort(colon < 0 ? '' : text.slice(colon)) ? name : undefined;
}

const isPort = (text: string): boolean => text === '' || (text.startsWith(':') && PORT.test(text.slice(1)));

/** "b.example.com", "example.com", "com" of "a.b.example.com": what stands behind a wildcard, the longest first. */
export function* parentsOf(name: string): Generator<string> {
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) yield name.slice(dot + 1);
}

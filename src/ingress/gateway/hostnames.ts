const isStar = (name: string): boolean => name.startsWith('*.');
/** Whether a name, or all that a star stands for, is meant by a star: "*.example.com" means "a.b.example.com", too. */
const means = (star: string, name: string): boolean =>
  isStar(star) && name.length > star.length - 1 && name.endsWith(star.slice(1));

/** What a listener and a route have in common; "" is every host, undefined none. */
export function commonHost(listener: string, route: string): string | undefined {
  if (listener === '' || listener === route) return route;
  if (route === '') return listener;
  if (means(listener, route)) return route;
  return means(route, listener) ? listener : undefined;
}

/** Each host that a route has behind a listener, lower case; none: it has nothing to do there. */
export function commonHosts(listener = '', routes: readonly string[] = []): string[] {
  const own = listener.toLowerCase();
  const wanted = routes.length === 0 ? [''] : routes.map(name => name.toLowerCase());
  return [...new Set(wanted.flatMap(name => commonHost(own, name) ?? []))];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "rbac.authorization.k8s.io" → "RbacAuthorization", as in operation ids. */
export const groupWord = (group: string): string =>
  group === ''
    ? 'Core'
    : group
        .replace(/\.k8s\.io$/, '')
        .split('.')
        .map(capital)
        .join('');

/** "rbacAuthorization_v1"; without a version, that of a group's own document. */
export function tagOf(group: string, version?: string): string {
  const word = groupWord(group);
  return `${word.charAt(0).toLowerCase()}${word.slice(1)}${version === undefined ? '' : `_${version}`}`;
}

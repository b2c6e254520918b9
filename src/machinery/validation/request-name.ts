import { quote } from '../go-text.js';

/**
 * What client-go says of a name that cannot be part of a URL; upstream's admission plugins read objects through it.
 * undefined: the name can be asked for. Source: client-go rest/request.go Name, apimachinery api/validation/path.
 */
export function requestNameProblem(name: string): string | undefined {
  if (name === '') return 'resource name may not be empty';
  if (name === '.' || name === '..') return `invalid resource name ${quote(name)}: [may not be '${name}']`;
  const problems = ['/', '%'].filter(char => name.includes(char)).map(char => `may not contain '${char}'`);
  return problems.length === 0 ? undefined : `invalid resource name ${quote(name)}: [${problems.join(' ')}]`;
}

/** A change of one line that makes the program wrong, if the line matters. */
export interface Mutation {
  readonly name: string;
  /** Undefined: the line has nothing of it. */
  apply(line: string): string | undefined;
}

const replaced =
  (what: string, by: string) =>
  (line: string): string | undefined =>
    line.includes(what) ? line.replace(what, by) : undefined;

/** A rule that is an element of a list, on a line of its own. */
const RULE = /^\s*(?:rule|make|external|in_|check|accept|from|nodePort|choose)\(.*\),$/;

/** A condition that fills its line. */
const IF = /^(\s*(?:else )?if )\((.*)\)( \{)?$/;

export const MUTATIONS: readonly Mutation[] = [
  { name: 'without the rule', apply: line => (RULE.test(line) ? '...[],' : undefined) },
  { name: 'without the rule', apply: line => (/^\s*rules\.push\(.*\);$/.test(line) ? ';' : undefined) },
  { name: '=== is !==', apply: replaced(' === ', ' !== ') },
  { name: '!== is ===', apply: replaced(' !== ', ' === ') },
  { name: '&& is ||', apply: replaced(' && ', ' || ') },
  { name: 'some is every', apply: replaced('.some(', '.every(') },
  { name: 'a condition is inverted', apply: line => (IF.test(line) ? line.replace(IF, '$1(!($2))$3') : undefined) },
  { name: 'accept is drop', apply: replaced("kind: 'accept'", "kind: 'drop'") },
  { name: 'a match is inverted', apply: replaced('invert: true', 'invert: false') },
];

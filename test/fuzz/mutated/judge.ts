/** An answer of 5xx that the rules name: each is what the real server says as well. */
const NAMED: readonly (readonly [about: string, text: RegExp])[] = [
  ['a patch of apply that the schema does not have', /failed to create (typed|manager)|field not declared in schema/],
  [
    'a patch that cannot be applied',
    /unable to find api field in struct|does not contain declared merge key|json data type is not|data type is not|list element types are not identical|unknown patch type|expected a |The order in patch list|cannot merge lists|merging lists cannot|no elements in any|expected slice or array|value for key/,
  ],
  ["a binding's errors, which are no Status of their own", /target\.(name|kind): /],
  ['a query that is no query', /failed to create RequestInfo|invalid URL escape/],
  ['a method that is served by nobody', /NotImplemented|501/],
  ['a webhook that cannot be reached', /failed calling webhook|conversion webhook/],
  ['an aggregated API that is not there', /service unavailable|error trying to reach service/],
  [
    'a proxy to what is not there',
    /no endpoints available|address not allowed|dial tcp|no such host|not have a host assigned|no preferred addresses found/,
  ],
];

/** What is wrong with an answer; undefined: nothing. */
export function fault(status: number, text: string): string | undefined {
  const head = text.slice(0, 10_000);
  if (
    /Maximum call stack|Invalid string length|is not a function|Cannot read prop|is not iterable|undefined is not/.test(
      head,
    )
  )
    return `${status}: ${head.slice(0, 300)}`;
  if (status < 500 || status === 503 || status === 504 || status === 501) return undefined;
  return NAMED.some(([, known]) => known.test(head)) ? undefined : `${status}: ${head.slice(0, 300)}`;
}

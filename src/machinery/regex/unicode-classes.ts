import type { CodeRanges } from './code-ranges.js';

/** What RE2 calls \p{...}: general categories, and the scripts that patterns are likely to name. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  L: /^\p{L}$/u,
  Lu: /^\p{Lu}$/u,
  Ll: /^\p{Ll}$/u,
  Lt: /^\p{Lt}$/u,
  Lm: /^\p{Lm}$/u,
  Lo: /^\p{Lo}$/u,
  M: /^\p{M}$/u,
  Mn: /^\p{Mn}$/u,
  Mc: /^\p{Mc}$/u,
  Me: /^\p{Me}$/u,
  N: /^\p{N}$/u,
  Nd: /^\p{Nd}$/u,
  Nl: /^\p{Nl}$/u,
  No: /^\p{No}$/u,
  P: /^\p{P}$/u,
  Pc: /^\p{Pc}$/u,
  Pd: /^\p{Pd}$/u,
  Ps: /^\p{Ps}$/u,
  Pe: /^\p{Pe}$/u,
  Pi: /^\p{Pi}$/u,
  Pf: /^\p{Pf}$/u,
  Po: /^\p{Po}$/u,
  S: /^\p{S}$/u,
  Sm: /^\p{Sm}$/u,
  Sc: /^\p{Sc}$/u,
  Sk: /^\p{Sk}$/u,
  So: /^\p{So}$/u,
  Z: /^\p{Z}$/u,
  Zs: /^\p{Zs}$/u,
  Zl: /^\p{Zl}$/u,
  Zp: /^\p{Zp}$/u,
  C: /^[\p{Cc}\p{Cf}\p{Cs}\p{Co}]$/u,
  Cc: /^\p{Cc}$/u,
  Cf: /^\p{Cf}$/u,
  Co: /^\p{Co}$/u,
  Arabic: /^\p{Script=Arabic}$/u,
  Armenian: /^\p{Script=Armenian}$/u,
  Cyrillic: /^\p{Script=Cyrillic}$/u,
  Devanagari: /^\p{Script=Devanagari}$/u,
  Georgian: /^\p{Script=Georgian}$/u,
  Greek: /^\p{Script=Greek}$/u,
  Han: /^\p{Script=Han}$/u,
  Hangul: /^\p{Script=Hangul}$/u,
  Hebrew: /^\p{Script=Hebrew}$/u,
  Hiragana: /^\p{Script=Hiragana}$/u,
  Katakana: /^\p{Script=Katakana}$/u,
  Latin: /^\p{Script=Latin}$/u,
  Thai: /^\p{Script=Thai}$/u,
};

const LAST_NAMED = 0x3ffff;
const known = new Map<string, CodeRanges>();

/** undefined: there is no such class. */
export function unicodeClass(name: string): CodeRanges | undefined {
  if (name === 'Any') return [[0, 0x10ffff]];
  const made = known.get(name);
  if (made !== undefined) return made;
  const pattern = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (pattern === undefined) return undefined;
  const ranges: [number, number][] = [];
  let open: [number, number] | undefined;
  // Beyond are tags and private use alone.
  for (let code = 0; code <= LAST_NAMED; code++) {
    if (!pattern.test(String.fromCodePoint(code))) open = undefined;
    else if (open === undefined) ranges.push((open = [code, code]));
    else open[1] = code;
  }
  known.set(name, ranges);
  return ranges;
}

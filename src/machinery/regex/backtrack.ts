import { holds } from './assertions.js';
import type { Match } from './match.js';
import { RegexError, type Node } from './syntax.js';

/** Back references have no linear matcher: tries are counted, and too many are refused. */
const MAX_STEPS = 200_000;
const MAX_DEPTH = 1200;

/** The leftmost match of an expression with back references. @throws RegexError when it takes too long */
export function backtrack(
  root: Node,
  groups: number,
  text: string,
  from: number,
  notStart: boolean,
  ignoreCase: boolean,
): Match | undefined {
  let steps = 0;
  let depth = 0;
  const captures = new Array<number>(2 + groups * 2).fill(-1);
  const same = (a: string, b: string): boolean => (ignoreCase ? a.toLowerCase() === b.toLowerCase() : a === b);

  const visit = (node: Node, at: number, then: (at: number) => boolean): boolean => {
    if (++steps > MAX_STEPS || depth > MAX_DEPTH) throw new RegexError('Regular expression takes too long');
    depth++;
    try {
      switch (node.kind) {
        case 'empty':
          return then(at);
        case 'set':
          return at < text.length && node.set.has(text.charCodeAt(at)) && then(at + 1);
        case 'assert':
          return holds(node.what, text, at, notStart) && then(at);
        case 'group': {
          const slot = node.index * 2;
          const [start, end] = [captures[slot] ?? -1, captures[slot + 1] ?? -1];
          const matched = visit(node.body, at, after => {
            const [s, e] = [captures[slot] ?? -1, captures[slot + 1] ?? -1];
            captures[slot] = at;
            captures[slot + 1] = after;
            if (then(after)) return true;
            captures[slot] = s;
            captures[slot + 1] = e;
            return false;
          });
          if (!matched) {
            captures[slot] = start;
            captures[slot + 1] = end;
          }
          return matched;
        }
        case 'sequence': {
          const next = (i: number, here: number): boolean => {
            const part = node.parts[i];
            return part === undefined ? then(here) : visit(part, here, after => next(i + 1, after));
          };
          return next(0, at);
        }
        case 'alternatives':
          return node.parts.some(part => visit(part, at, then));
        case 'repeat': {
          const next = (count: number, here: number): boolean => {
            if (
              count < node.max &&
              visit(node.body, here, after => (after > here || count < node.min) && next(count + 1, after))
            )
              return true;
            return count >= node.min && then(here);
          };
          return next(0, at);
        }
        case 'back': {
          const [start = -1, end = -1] = [captures[node.index * 2], captures[node.index * 2 + 1]];
          if (start < 0 || end < 0) return false;
          const wanted = text.slice(start, end);
          return same(text.slice(at, at + wanted.length), wanted) && then(at + wanted.length);
        }
      }
    } finally {
      depth--;
    }
  };
  for (let start = from; start <= text.length; start++) {
    captures.fill(-1);
    let end = -1;
    if (
      visit(root, start, at => {
        end = at;
        return true;
      })
    ) {
      captures[0] = start;
      captures[1] = end;
      return { start, end, groups: captures };
    }
  }
  return undefined;
}

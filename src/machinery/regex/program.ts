import { RegexError, type Assertion, type CharacterSet, type Node } from './syntax.js';

export type Instruction =
  | { readonly op: 'set'; readonly set: CharacterSet }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { readonly op: 'save'; readonly slot: number }
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'match' };

type Preference = Extract<Node, { kind: 'repeat' }>['prefers'];

const MAX_INSTRUCTIONS = 20_000;

/** Whether it may match without a character. */
function isNullable(node: Node): boolean {
  switch (node.kind) {
    case 'set':
    case 'back':
      return false;
    case 'group':
      return isNullable(node.body);
    case 'sequence':
      return node.parts.every(isNullable);
    case 'alternatives':
      return node.parts.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.body);
    default:
      return true;
  }
}

/** The expression as instructions of a machine that has all its states at once. @throws RegexError */
export function compileNode(root: Node): readonly Instruction[] {
  const code: Instruction[] = [];
  const emit = (instruction: Instruction): number => {
    if (code.length >= MAX_INSTRUCTIONS) throw new RegexError('Regular expression too big');
    return code.push(instruction) - 1;
  };
  /** To the body that follows, or around it: `around` says where that is, once it is known. */
  const choose = (prefers: Preference): ((to: number) => void) => {
    const split = { op: 'split' as const, first: code.length + 1, second: code.length + 1 };
    emit(split);
    return to => (prefers === 'fewer' ? (split.first = to) : (split.second = to));
  };
  /** Where the way that is tried first counts, Go asks behind what may be empty whether it is to be repeated, not before. */
  const repeatNullable = (body: Node, min: number, prefers: Preference): void => {
    const enter = min === 0 ? choose(prefers) : undefined;
    for (let i = 1; i < min; i++) visit(body);
    const at = code.length;
    visit(body);
    const next = code.length + 1;
    emit(prefers === 'fewer' ? { op: 'split', first: next, second: at } : { op: 'split', first: at, second: next });
    enter?.(next);
  };
  const repeat = ({ body, min, max, prefers }: Extract<Node, { kind: 'repeat' }>): void => {
    if (prefers !== undefined && max === Infinity && isNullable(body)) return repeatNullable(body, min, prefers);
    for (let i = 0; i < min; i++) visit(body);
    if (max === Infinity) {
      const at = code.length;
      const around = choose(prefers);
      visit(body);
      emit({ op: 'jump', to: at });
      return around(code.length);
    }
    const ends: ((to: number) => void)[] = [];
    for (let i = min; i < max; i++) {
      ends.push(choose(prefers));
      visit(body);
    }
    for (const end of ends) end(code.length);
  };
  const visit = (node: Node): void => {
    switch (node.kind) {
      case 'empty':
        return;
      case 'set':
        return void emit({ op: 'set', set: node.set });
      case 'assert':
        return void emit({ op: 'assert', what: node.what });
      case 'group':
        emit({ op: 'save', slot: node.index * 2 });
        visit(node.body);
        emit({ op: 'save', slot: node.index * 2 + 1 });
        return;
      case 'sequence':
        return node.parts.forEach(visit);
      case 'alternatives': {
        const ends: { op: 'jump'; to: number }[] = [];
        node.parts.forEach((part, i) => {
          if (i === node.parts.length - 1) return visit(part);
          const split = { op: 'split' as const, first: code.length + 1, second: 0 };
          emit(split);
          visit(part);
          const end = { op: 'jump' as const, to: 0 };
          emit(end);
          ends.push(end);
          split.second = code.length;
        });
        for (const end of ends) end.to = code.length;
        return;
      }
      case 'repeat':
        return repeat(node);
      case 'back':
        throw new RegexError('back references are matched elsewhere');
    }
  };
  visit(root);
  emit({ op: 'match' });
  return code;
}

import { RegexError, type Assertion, type CharacterSet, type Node } from './syntax.js';

export type Instruction =
  | { readonly op: 'set'; readonly set: CharacterSet }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { readonly op: 'save'; readonly slot: number }
  | { op: 'split'; readonly first: number; second: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'match' };

const MAX_INSTRUCTIONS = 20_000;

/** The expression as instructions of a machine that has all its states at once. @throws RegexError */
export function compileNode(root: Node): readonly Instruction[] {
  const code: Instruction[] = [];
  const emit = (instruction: Instruction): number => {
    if (code.length >= MAX_INSTRUCTIONS) throw new RegexError('Regular expression too big');
    return code.push(instruction) - 1;
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
      case 'repeat': {
        for (let i = 0; i < node.min; i++) visit(node.body);
        if (node.max === Infinity) {
          const at = code.length;
          const split = { op: 'split' as const, first: at + 1, second: 0 };
          emit(split);
          visit(node.body);
          emit({ op: 'jump', to: at });
          split.second = code.length;
          return;
        }
        const splits: { op: 'split'; first: number; second: number }[] = [];
        for (let i = node.min; i < node.max; i++) {
          const split = { op: 'split' as const, first: code.length + 1, second: 0 };
          emit(split);
          splits.push(split);
          visit(node.body);
        }
        for (const split of splits) split.second = code.length;
        return;
      }
      case 'back':
        throw new RegexError('back references are matched elsewhere');
    }
  };
  visit(root);
  emit({ op: 'match' });
  return code;
}

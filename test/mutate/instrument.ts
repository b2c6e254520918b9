import ts from 'typescript';
import { mutationsOf } from './mutations.js';

export interface Mutant {
  readonly id: number;
  /** The compiled file, below `dataplane`. */
  readonly path: string;
  /** The function that it is in; '' outside of all. */
  readonly within: string;
  readonly line: number;
  readonly name: string;
  /** What is broken, on one line. */
  readonly text: string;
}

export interface Instrumented {
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

/** Stands in the program; says whether this mutant is the one to be, and takes down that somebody came by. */
const asks = (id: number): string => `globalThis.__mutant(${id})`;

const nameOf = (node: ts.Node): string | undefined => {
  const named = node as { readonly name?: ts.Node };
  return named.name !== undefined && (ts.isIdentifier(named.name) || ts.isPrivateIdentifier(named.name))
    ? named.name.text
    : undefined;
};

/** A function with a name, by its own or by what it is given to. */
function functionName(node: ts.Node): string | undefined {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node)) return nameOf(node);
  if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)) return undefined;
  const { parent } = node;
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)
    ? nameOf(parent)
    : undefined;
}

/** An effect that can be left out: a call, an assignment, a removal. */
function isEffect({ expression }: ts.ExpressionStatement): boolean {
  const inner = ts.isAwaitExpression(expression) ? expression.expression : expression;
  if (ts.isCallExpression(inner)) return inner.expression.kind !== ts.SyntaxKind.SuperKeyword;
  return (
    (ts.isBinaryExpression(inner) &&
      inner.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      inner.operatorToken.kind <= ts.SyntaxKind.LastAssignment) ||
    ts.isPostfixUnaryExpression(inner) ||
    ts.isDeleteExpression(inner)
  );
}

/** In the middle of `a?.b.c`, nothing can be put around what is before. */
const isInsideChain = (node: ts.Node): boolean =>
  (node.flags & ts.NodeFlags.OptionalChain) !== 0 && (node.parent.flags & ts.NodeFlags.OptionalChain) !== 0;

/** Of a list that is made, not of one that is taken apart. */
function isItemOfList({ parent }: ts.Node): boolean {
  if (!ts.isArrayLiteralExpression(parent)) return false;
  const { parent: outer } = parent;
  const isTarget =
    ts.isBinaryExpression(outer) && outer.left === parent && outer.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return !isTarget;
}

/** What an error says is for people; that there is one is a matter of the condition before it. */
const isError = (node: ts.Node): boolean =>
  ts.isThrowStatement(node) || (ts.isNewExpression(node) && node.expression.getText().endsWith('Error'));

/**
 * All mutants of a compiled file in one text: each asks at its place whether it is the one. So nothing is compiled or
 * loaded again for the next one, and who comes by at a place is known (mutant schemata).
 */
export function instrument(path: string, source: string, firstId: number, texts: boolean): Instrumented {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const mutants: Mutant[] = [];

  const add = (node: ts.Node, within: string, name: string): string => {
    const id = firstId + mutants.length;
    const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    const text = node.getText().replace(/\s+/g, ' ');
    mutants.push({ id, path, within, line, name, text: text.length > 120 ? `${text.slice(0, 120)}…` : text });
    return asks(id);
  };

  const inner = (node: ts.Node, within: string): string => {
    let text = '';
    let at = node.getStart();
    ts.forEachChild(node, child => {
      text += source.slice(at, child.getStart()) + render(child, within);
      at = child.end;
    });
    return text + source.slice(at, node.end);
  };

  function renderBody(node: ts.Node, within: string): string {
    const name = functionName(node);
    const body = (node as ts.FunctionLikeDeclaration).body;
    if (name === undefined || body === undefined) return inner(node, within);
    const path = within === '' ? name : `${within}.${name}`;
    const head = source.slice(node.getStart(), body.getStart());
    if (name === 'constructor') return head + inner(body, path);
    if (ts.isBlock(body)) {
      if (body.statements.length === 0) return head + inner(body, path);
      return `${head}{ if (${add(node, path, 'the function does nothing')}) return; ${inner(body, path)} }`;
    }
    // It does nothing as it is.
    if (body.getText() === 'undefined') return head + inner(body, path);
    return `${head}(${add(node, path, 'the function does nothing')} ? undefined : ${render(body, path)})`;
  }

  function renderExpression(node: ts.Node, within: string): string {
    if (isInsideChain(node)) return inner(node, within);
    const broken = mutationsOf(node, texts).map(({ name, text }) => `${add(node, within, name)} ? ${text} : `);
    const text = renderBody(node, within);
    return broken.length === 0 ? text : `(${broken.join('')}${text})`;
  }

  function render(node: ts.Node, within: string): string {
    if (isError(node)) return node.getText();
    if (ts.isExpressionStatement(node) && isEffect(node))
      return `{ if (!${add(node, within, 'without the effect')}) ${inner(node, within)} }`;
    const isSpread = ts.isSpreadElement(node) && ts.isArrayLiteralExpression(node.parent);
    if (isSpread && isItemOfList(node))
      return `...(${add(node, within, 'without the items')} ? [] : ${render(node.expression, within)})`;
    if (ts.isSpreadAssignment(node) && ts.isObjectLiteralExpression(node.parent))
      return `...(${add(node, within, 'without the fields')} ? {} : ${render(node.expression, within)})`;
    if (isItemOfList(node) && !ts.isOmittedExpression(node) && !ts.isSpreadElement(node))
      return `...(${add(node, within, 'without the item')} ? [] : [${renderExpression(node, within)}])`;
    return renderExpression(node, within);
  }

  const text = source.slice(0, file.getStart()) + inner(file, '');
  return { text, mutants };
}

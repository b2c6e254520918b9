import ts from 'typescript';

/** What stands in the place of an expression: the program is wrong with it, if the expression matters. */
export interface Mutation {
  readonly name: string;
  readonly text: string;
}

const SWAPPED = new Map<ts.SyntaxKind, readonly string[]>([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.LessThanToken, ['<=', '>=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AsteriskToken, ['+']],
  [ts.SyntaxKind.SlashToken, ['*']],
  [ts.SyntaxKind.PercentToken, ['+']],
  [ts.SyntaxKind.AmpersandToken, ['|']],
  [ts.SyntaxKind.BarToken, ['&']],
  [ts.SyntaxKind.CaretToken, ['|']],
  [ts.SyntaxKind.LessThanLessThanToken, ['>>']],
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken, ['<<']],
]);

const LOGICAL: readonly ts.SyntaxKind[] = [ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken];

/** Such a condition is broken inside, which says more than its opposite would. */
function isBrokenInside(condition: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(condition)) return isBrokenInside(condition.expression);
  if (ts.isPrefixUnaryExpression(condition)) return condition.operator === ts.SyntaxKind.ExclamationToken;
  if (!ts.isBinaryExpression(condition)) return false;
  const { kind } = condition.operatorToken;
  return LOGICAL.includes(kind) || SWAPPED.has(kind);
}

function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  return (
    (ts.isIfStatement(parent) && parent.expression === node) ||
    (ts.isConditionalExpression(parent) && parent.condition === node)
  );
}

const isLoop = ({ parent }: ts.Node, node: ts.Node): boolean =>
  (ts.isWhileStatement(parent) && parent.expression === node) ||
  (ts.isForStatement(parent) && parent.condition === node);

function ofBinary({ left, operatorToken, right }: ts.BinaryExpression): Mutation[] {
  if (LOGICAL.includes(operatorToken.kind))
    return [
      { name: `only the left of ${operatorToken.getText()}`, text: left.getText() },
      { name: `only the right of ${operatorToken.getText()}`, text: right.getText() },
    ];
  return (SWAPPED.get(operatorToken.kind) ?? []).map(by => ({
    name: `${operatorToken.getText()} is ${by}`,
    text: `${left.getText()} ${by} ${right.getText()}`,
  }));
}

function ofCall({ expression, arguments: [first], ...call }: ts.CallExpression): Mutation[] {
  if (!ts.isPropertyAccessExpression(expression) || first === undefined) return [];
  const list = expression.expression.getText();
  const dot = expression.questionDotToken === undefined ? '.' : '?.';
  const isOnly = (call as ts.CallExpression).arguments === undefined;
  if (!isOnly) return [];
  switch (expression.name.text) {
    case 'some':
      return [{ name: 'some is every', text: `${list}${dot}every(${first.getText()})` }];
    case 'every':
      return [{ name: 'every is some', text: `${list}${dot}some(${first.getText()})` }];
    case 'filter':
      return [{ name: 'the filter lets all pass', text: `${list}${dot}filter(() => true)` }];
    default:
      return [];
  }
}

/** Neither a key, nor what is compared or said in an error. */
function isMadeText(node: ts.Node): boolean {
  const { parent } = node;
  return (
    !ts.isImportDeclaration(parent) &&
    !ts.isExportDeclaration(parent) &&
    !ts.isCaseClause(parent) &&
    !ts.isTaggedTemplateExpression(parent) &&
    !ts.isNewExpression(parent) &&
    !ts.isElementAccessExpression(parent) &&
    !((ts.isPropertyAssignment(parent) || ts.isBindingElement(parent)) && parent.name === node) &&
    !(ts.isBinaryExpression(parent) && SWAPPED.has(parent.operatorToken.kind))
  );
}

/**
 * What the expression is replaced by, one mutation at a time. Texts are only broken where rules are made of them
 * (`texts`): elsewhere they are names that nothing but the program sees, or are read by people.
 */
export function mutationsOf(node: ts.Node, texts: boolean): Mutation[] {
  if (!ts.isExpression(node)) return [];
  const text = node.getText();
  if (isLoop(node, node)) return [{ name: 'the loop does not begin', text: 'false' }];
  if (isCondition(node) && !isBrokenInside(node)) return [{ name: 'a condition is inverted', text: `!(${text})` }];
  if (ts.isBinaryExpression(node)) return ofBinary(node);
  if (ts.isCallExpression(node)) return ofCall(node);
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    return [{ name: 'without the not', text: node.operand.getText() }];
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [{ name: 'true is false', text: 'false' }];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [{ name: 'false is true', text: 'true' }];
  if (!texts || !isMadeText(node)) return [];
  const isText = (ts.isStringLiteral(node) && node.text !== '') || ts.isTemplateExpression(node);
  return isText ? [{ name: 'a text is empty', text: "''" }] : [];
}

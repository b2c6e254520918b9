import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

/**
 * Which files read which field, by the type checker: "PodSpec.hostname" to files. Only reads through the types of the API
 * are seen; code that works on plain JSON is not.
 */
export function findReaders(root: string): ReadonlyMap<string, ReadonlySet<string>> {
  const config = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { compilerOptions: object };
  const { fileNames, options } = ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, root);
  const program = ts.createProgram(fileNames, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const readers = new Map<string, Set<string>>();

  const note = (type: ts.Type, name: string, file: string): void => {
    for (const owner of ownersOf(checker, type, name)) {
      const key = `${owner}.${name}`;
      readers.set(key, (readers.get(key) ?? new Set()).add(file));
    }
  };
  const visit = (node: ts.Node, file: string): void => {
    if (ts.isPropertyAccessExpression(node)) {
      if (!isAssigned(node)) note(checker.getTypeAtLocation(node.expression), node.name.text, file);
    } else if (ts.isElementAccessExpression(node)) {
      if (ts.isStringLiteralLike(node.argumentExpression) && !isAssigned(node))
        note(checker.getTypeAtLocation(node.expression), node.argumentExpression.text, file);
    } else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const name = node.propertyName ?? node.name;
      if (ts.isIdentifier(name) && node.dotDotDotToken === undefined)
        note(checker.getTypeAtLocation(node.parent), name.text, file);
    }
    ts.forEachChild(node, child => visit(child, file));
  };
  for (const source of program.getSourceFiles()) {
    const file = relative(root, source.fileName);
    if (file.startsWith('src/')) visit(source, file);
  }
  return readers;
}

const isAssigned = (node: ts.Expression): boolean =>
  ts.isBinaryExpression(node.parent) &&
  node.parent.left === node &&
  node.parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;

/** The API types that declare the property, without their version: V1PodSpec and CoreV1Event are PodSpec and Event. */
function ownersOf(checker: ts.TypeChecker, type: ts.Type, name: string): ReadonlySet<string> {
  const owners = new Set<string>();
  const look = (one: ts.Type): void => {
    if (one.isUnionOrIntersection()) return one.types.forEach(look);
    for (const declaration of checker.getPropertyOfType(one, name)?.declarations ?? []) {
      const { parent } = declaration;
      if (!ts.isClassDeclaration(parent) && !ts.isInterfaceDeclaration(parent)) continue;
      const file = declaration.getSourceFile().fileName;
      if (parent.name !== undefined && (file.includes('client-node') || file.endsWith('machinery/types.ts')))
        owners.add(withoutVersion(parent.name.text));
    }
  };
  look(checker.getApparentType(type));
  return owners;
}

function withoutVersion(name: string): string {
  const match = /V[12](?=[A-Z])/.exec(name);
  return match === null ? name : name.slice(match.index + 2);
}

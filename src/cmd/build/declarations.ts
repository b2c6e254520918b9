import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import type { CompilerOptions } from 'typescript';

/** What a program that imports the package is told of its types. */
const TO = 'build/types';

/**
 * Writes the declarations of some modules of src/ and of all that they name, each from its file alone, without a look at any
 * other: an exported thing has to say what it is.
 * @throws Error for a declaration that does not, or that names a package: whoever uses these has no other
 */
export async function writeDeclarations(root: string, entries: readonly string[]): Promise<void> {
  const { default: ts } = await import('typescript');
  const options: CompilerOptions = {
    ...{ declaration: true, emitDeclarationOnly: true, isolatedDeclarations: true, verbatimModuleSyntax: true },
    // What others say is not asked for.
    ...{ noResolve: true, noCheck: true, types: [], lib: ['lib.esnext.d.ts'] },
    ...{ target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, rootDir: root, outDir: join(root, TO) },
  };
  const host = ts.createCompilerHost(options);
  const written = new Map<string, string>();
  for (let files = entries; files.length > 0;) {
    const program = ts.createProgram(
      files.map(file => join(root, file)),
      options,
      host,
    );
    const [problem] = program.getDeclarationDiagnostics();
    if (problem !== undefined) {
      const { file, messageText } = problem;
      const name = relative(root, file?.fileName ?? root);
      throw new Error(`${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
    }
    const named: string[] = [];
    program.emit(undefined, (path, text) => {
      const file = relative(join(root, TO), path).replace(/\.d\.ts$/, '.ts');
      written.set(file, text);
      for (const { fileName: name } of ts.preProcessFile(text).importedFiles) {
        if (!name.startsWith('.')) throw new Error(`${file}: its types are of ${name}, which nobody need have`);
        named.push(posix.join(dirname(file), name.replace(/\.js$/, '.ts')));
      }
    });
    files = [...new Set(named)].filter(file => !written.has(file));
  }
  rmSync(join(root, TO), { recursive: true, force: true });
  for (const [file, text] of written) {
    const path = join(root, declarationOf(file));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Where the declarations of a module are. */
export const declarationOf = (file: string): string => join(TO, file.replace(/^src\//, '').replace(/\.ts$/, '.d.ts'));

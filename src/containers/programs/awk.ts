import { FileError } from '../file-system.js';
import type { Program } from '../process.js';
import { RegexError } from '../../machinery/regex/regex.js';
import { assignArgument } from './awk/input.js';
import { prepareAwk, runAwk, setUp } from './awk/interpreter.js';
import { Unwind } from './awk/jumps.js';
import { parseAwk } from './awk/parser.js';
import { AwkError } from './awk/syntax.js';
import { setVariable } from './awk/variables.js';
import { unescapeText } from './escapes.js';
import { FormatError } from './format.js';
import { openInput } from './each-input.js';
import { asBytes, fromBytes, holdAll } from './lines.js';
import { parseOptions } from './options.js';

/** awk [-F SEPARATOR] [-v NAME=VALUE]... [-f FILE|PROGRAM] [FILE|NAME=VALUE]... */
export const awk: Program = async process => {
  const options = parseOptions(process.args.slice(1), { short: 'F:v:f:e:', stopAtOperand: true });
  const rest = [...options.operands];
  try {
    const sources: string[] = [];
    for (const name of options.all('f'))
      sources.push(fromBytes(await holdAll(process, await openInput(process, name))));
    for (const text of options.all('e')) sources.push(asBytes(text));
    if (sources.length === 0) {
      const program = rest.shift();
      if (program === undefined) {
        await process.stderr.write('awk: usage: awk [OPTIONS] [AWK_PROGRAM] [FILE]...\n');
        return 1;
      }
      sources.push(asBytes(program));
    }
    const interpreter = prepareAwk(process, parseAwk(sources.join('\n')));
    setUp(interpreter, ['awk', ...rest], process.env);
    const separator = options.get('F');
    if (separator !== undefined)
      setVariable(interpreter, 'FS', separator === 't' ? '\t' : unescapeText(asBytes(separator)));
    for (const assignment of options.all('v')) {
      const equals = assignment.indexOf('=');
      if (equals < 1) throw new AwkError(`bad assignment '${assignment}'`);
      assignArgument(interpreter, assignment.slice(0, equals), asBytes(assignment.slice(equals + 1)));
    }
    return await runAwk(interpreter);
  } catch (error) {
    if (error instanceof Unwind) return 0;
    if (
      !(
        error instanceof AwkError ||
        error instanceof RegexError ||
        error instanceof FormatError ||
        error instanceof FileError
      )
    )
      throw error;
    await process.stderr.write(`awk: ${error instanceof RegexError ? `bad regex: ${error.message}` : error.message}\n`);
    return error instanceof FileError ? 1 : 2;
  }
};

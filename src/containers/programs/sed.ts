import { RegexError } from '../../machinery/regex/regex.js';
import { resolvePath } from '../file-system.js';
import type { Output } from '../io.js';
import type { Program } from '../process.js';
import { asBytes } from './lines.js';
import { parseOptions } from './options.js';
import { Editor } from './sed-parts/editor.js';
import { parseSed, SedError } from './sed-parts/script.js';

/** sed [-nErszi[SUFFIX]] [-e SCRIPT|-f FILE]... [SCRIPT] [FILE...] */
export const sed: Program = async process => {
  const suffixes: string[] = [];
  const given = process.args.slice(1).map(arg => {
    const inPlace = /^(-[nErsz]*i|--in-place=?)(.*)$/s.exec(arg);
    if (inPlace === null || arg.startsWith('--expression')) return arg;
    suffixes.push(inPlace[2] ?? '');
    return (inPlace[1] ?? '').startsWith('--') ? '-i' : (inPlace[1] ?? '');
  });
  const options = parseOptions(given, {
    short: 'nErsize:f:u',
    long: {
      quiet: 'n',
      silent: 'n',
      'regexp-extended': 'E',
      expression: 'e:',
      file: 'f:',
      'null-data': 'z',
      unbuffered: 'u',
      separate: 's',
    },
  });
  const files = [...options.operands];
  const scripts = [...options.all('e')];
  for (const name of options.all('f'))
    scripts.push(
      (await process.container.files.read(resolvePath(process.cwd, name))).toString('utf8').replace(/\n$/, ''),
    );
  if (scripts.length === 0) scripts.push(files.shift() ?? '');
  try {
    const source = asBytes(scripts.join('\n'));
    const commands = parseSed(source, options.has('E') || options.has('r'), process.turn);
    const quiet = options.has('n') || source.startsWith('#n\n');
    if (!options.has('i')) {
      const editor = new Editor(process, commands, quiet, process.stdout);
      return await editor.run(files);
    }
    let status = 0;
    for (const name of files) {
      const path = resolvePath(process.cwd, name);
      const chunks: Buffer[] = [];
      const output: Output = {
        write(data) {
          const chunk = Buffer.from(data);
          process.memory.add(chunk.length);
          chunks.push(chunk);
        },
      };
      const editor = new Editor(
        process,
        parseSed(source, options.has('E') || options.has('r'), process.turn),
        quiet,
        output,
      );
      const old = suffixes.at(-1) === '' ? undefined : await process.container.files.read(path);
      status = (await editor.run([name])) || status;
      if (old !== undefined) await process.container.files.write(`${path}${suffixes.at(-1) ?? ''}`, Buffer.from(old));
      if (!editor.missing) await process.container.files.write(path, Buffer.concat(chunks));
    }
    return status;
  } catch (error) {
    if (!(error instanceof SedError || error instanceof RegexError)) throw error;
    await process.stderr.write(`sed: ${error.message}\n`);
    return 1;
  }
};

import { resolvePath } from '../file-system.js';
import type { Process, Program } from '../process.js';
import { staticServer } from './nginx.js';

/** python -m http.server [PORT] [-b ADDRESS] [-d DIRECTORY]: files of the folder that it is started in. */
async function fileServer(process: Process): Promise<number> {
  const words = process.args.slice(3);
  let port = 8000;
  let directory = process.cwd;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [name = '', value] = word.split('=', 2);
    if (name === '-d' || name === '--directory') directory = resolvePath(process.cwd, value ?? words.shift() ?? '');
    else if (name === '-b' || name === '--bind' || name === '-p' || name === '--protocol') {
      if (value === undefined) words.shift();
    } else if (/^\d{1,5}$/.test(word)) port = Number(word);
    else if (word !== '--cgi') {
      await process.stderr.write(
        `usage: server.py [-h] [--cgi] [-b ADDRESS] [-d DIRECTORY] [port]\nserver.py: error: unrecognized arguments: ${word.slice(0, 80)}\n`,
      );
      return 2;
    }
  }
  await process.stdout.write(`Serving HTTP on 0.0.0.0 port ${port} (http://0.0.0.0:${port}/) ...\n`);
  return staticServer('SimpleHTTP/0.6 Python/3.13.7', directory, port, { lists: true })(process);
}

/** `interpreter` for everything but the file server. */
export const python =
  (interpreter: Program): Program =>
  process =>
    process.args[1] === '-m' && process.args[2] === 'http.server' ? fileServer(process) : interpreter(process);

import type { Program } from '../process.js';

/**
 * The script that official images begin with: `server` gets the arguments where they begin with an option (or are a file of
 * its settings), anything else is run as it is.
 */
export const dockerEntrypoint =
  (server: string, isFile: (word: string) => boolean = () => false): Program =>
  async process => {
    const [first = server, ...rest] = process.args.slice(1);
    const args = first.startsWith('-') || isFile(first) ? [server, first, ...rest] : [first, ...rest];
    const program = await process.container.program(args[0] ?? '');
    if (program === undefined) {
      await process.stderr.write(`/usr/local/bin/docker-entrypoint.sh: exec: ${first}: not found\n`);
      return 127;
    }
    process.container.processes.get(process.pid)?.become(args);
    return program({ ...process, args });
  };

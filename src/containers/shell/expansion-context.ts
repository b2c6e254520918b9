import { assignVariable } from './assign.js';
import type { Script } from './ast.js';
import type { ExpansionContext } from './expand.js';
import { heldOutput } from './held-output.js';
import { deeper, inSubshell } from './levels.js';
import { parameter } from './parameter.js';
import type { Shell, Streams } from './state.js';

/** What the words of a command see of the shell that runs it; `run` runs a command substitution in its subshell. */
export function expansionContext(
  shell: Shell,
  streams: Streams,
  run: (copy: Shell, script: Script, streams: Streams) => Promise<number>,
): ExpansionContext {
  const { process } = shell;
  return {
    get: name => parameter(shell, name),
    set: (name, value) => assignVariable(shell, name, value),
    positional: shell.positional,
    nounset: shell.options.nounset,
    cwd: shell.cwd,
    files: process.container.files,
    turn: work => process.turn(work),
    hold(bytes) {
      process.memory.add(bytes);
      process.memory.remove(bytes);
    },
    async capture(script) {
      const output = heldOutput(process);
      try {
        shell.status = await deeper(shell, () =>
          inSubshell(shell, copy => run(copy, script, { ...streams, stdout: output })),
        );
        return output.text();
      } finally {
        output.release();
      }
    },
  };
}

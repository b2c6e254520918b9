import type { Shell } from './state.js';

/** What `$name` stands for; undefined when it is unset. */
export function parameter(shell: Shell, name: string): string | undefined {
  switch (name) {
    case '?':
      return String(shell.status);
    case '$':
      return String(shell.process.pid);
    case '!':
      return shell.lastBackground === undefined ? undefined : String(shell.lastBackground);
    case '#':
      return String(shell.positional.length);
    case '-':
      return (
        (shell.options.errexit ? 'e' : '') + (shell.options.nounset ? 'u' : '') + (shell.options.xtrace ? 'x' : '')
      );
    case '0':
      return shell.name;
    case 'RANDOM':
      return shell.variables.get(name) ?? String(Math.floor(shell.process.container.random() * 32768));
    default:
      if (/^\d+$/.test(name)) return shell.positional[Number(name) - 1];
      return shell.variables.get(name);
  }
}

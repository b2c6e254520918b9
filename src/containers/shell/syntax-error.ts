/** A script that is no shell grammar. The shell reports it and exits with 2. */
export class ShellSyntaxError extends Error {
  override readonly name = 'ShellSyntaxError';
}

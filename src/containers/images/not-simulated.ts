import type { Process } from '../process.js';

/** What users are told of something that no image here has. */
export const hintOf = (what: string): string => `${what}: not simulated; see \`kubette images\``;

/** Ends a program that has been asked for something that is not simulated: a line on stderr, an Event, exit status 1. */
export async function notSimulated(process: Process, what: string): Promise<number> {
  const { container, stderr, args } = process;
  const hint = hintOf(what);
  container.tell?.(`${args[0] ?? ''}: ${hint}`);
  await stderr.write(`${args[0] ?? ''}: ${hint}\n`);
  return 1;
}

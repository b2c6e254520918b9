import type { Output } from '../io.js';
import type { Process } from '../process.js';

/** Collects the output of a substitution, which counts as the shell's memory. */
export function heldOutput(process: Process): Output & { text(): string; release(): void } {
  const chunks: Buffer[] = [];
  let held = 0;
  return {
    description: 'pipe:[1]',
    write(data) {
      const chunk = Buffer.from(data);
      held += chunk.length + 64;
      process.memory.add(chunk.length + 64);
      chunks.push(chunk);
      // Last: a turn that nobody waits for, because the memory was too much, would be a failure that nobody hears.
      return process.turn(1 + (data.length >> 12));
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
    release: () => process.memory.remove(held),
  };
}

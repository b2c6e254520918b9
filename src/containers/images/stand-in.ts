import type { ContainerContext, Program } from '../process.js';

/** Programs of which nothing is known, and what runs in their place. */
export interface StandIn {
  /** Ends, or serves, as the container is to. */
  readonly life: Program;
  /** Whether the program of that name is one of them. */
  readonly covers: (name: string, found: Program | undefined, container: ContainerContext) => boolean;
  /** Whether it is one when called so; absent: always. */
  readonly takes?: (args: readonly string[]) => boolean;
}

/**
 * Runs a script in which such programs may be called: each answers with success at once. When any was called, the script's
 * end is not the container's: `life` goes on, as those programs would have.
 */
export function standingIn(script: Program, { life, covers, takes }: StandIn): Program {
  return async process => {
    const { container } = process;
    let called: Promise<number> | undefined;
    const code = await script({
      ...process,
      container: {
        ...container,
        async program(name) {
          const found = await container.program(name);
          if (!covers(name, found, container)) return found;
          return async inner => {
            if (found !== undefined && takes?.(inner.args) === false) return found(inner);
            called ??= life(process);
            // A life that failed is told by the wait for it below.
            called.catch(() => undefined);
            return 0;
          };
        },
      },
    });
    return called === undefined ? code : called;
  };
}

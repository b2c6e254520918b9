import type { Process, Program } from '../process.js';
import type { Container, DeepReadonly, Pod } from '../../machinery/types.js';
import { standingIn, type StandIn } from './stand-in.js';
import type { Interpreter, KnownImage, Image } from './types.js';
import { lifeOf } from './unknown.js';

/**
 * An image of a language as one container has it. Code that users bring is not run: where the Pod says what becomes of it (a
 * Job's completes, one with ports or probes serves them), that happens in its place; where it does not, the interpreter
 * says that it cannot. A program of a probe or a hook succeeds, as those of unknown images do.
 */
export function interpretedImage(image: KnownImage, pod: DeepReadonly<Pod>, spec: DeepReadonly<Container>): Image {
  const { interpreters = {} } = image;
  const { life, told, note } = lifeOf(pod, spec);
  const of = (name: string): Interpreter | undefined => {
    const base = name.slice(name.lastIndexOf('/') + 1);
    return Object.hasOwn(interpreters, base) ? interpreters[base] : undefined;
  };
  const replace = (by: Program): StandIn => {
    return {
      life: by,
      covers: name => of(name) !== undefined,
      takes: ([name = '', ...args]) => of(name)?.(args) ?? false,
    };
  };
  const inPlaceOf = (name: string, found: Program | undefined, by: Program): Program | undefined => {
    if (found === undefined) return undefined;
    const standIn = replace(by);
    return (process: Process) =>
      of(name)?.(process.args.slice(1)) === true ? by(process) : standingIn(found, standIn)(process);
  };
  const serving: Program = process => {
    process.container.tell?.(`Code is not run here: a simulated program runs in its place, ${note}`);
    return life(process);
  };
  return {
    ...image,
    ...(told ? { main: (name, found) => inPlaceOf(name, found, serving) } : {}),
    check: (name, found) => inPlaceOf(name, found, async () => 0),
  };
}

import type { Container, DeepReadonly } from '../../machinery/types.js';
import type { Image } from '../images/types.js';
import { untilStopped } from '../images/http-server.js';
import type { Process, Program } from '../process.js';
import { endOf } from './end.js';
import type { Behaviour } from './settings.js';
import { isToldToServe, toldPorts, toldServer } from './told-server.js';

export interface BehavingOptions {
  readonly behaviour: Behaviour;
  readonly spec: DeepReadonly<Container>;
  /** How often the container has run before. */
  readonly run: number;
}

/** An image that starts, serves and logs as it is told; of the rest it is as it was. How it ends its container's runner sees to. */
export function behavingImage(image: Image, { behaviour, spec, run }: BehavingOptions): Image {
  const { startDelay, log, logInterval } = behaviour;
  const serves = isToldToServe(behaviour);
  const lasts = endOf(behaviour, run) !== undefined;
  if (!serves && !lasts && startDelay === undefined && log === undefined) return image;
  let begun = startDelay === undefined;

  const own = (command: string, found: Program | undefined): Program | undefined =>
    serves ? toldServer(behaviour, spec) : image.main === undefined ? found : image.main(command, found);
  const main = (command: string, found: Program | undefined): Program | undefined => {
    const program = own(command, found);
    if (program === undefined) return undefined;
    return async process => {
      if (startDelay !== undefined) {
        await process.container.clock.sleep(startDelay, process.signal);
        begun = true;
      }
      const lines = log?.split('\n') ?? [];
      if (logInterval === undefined) await process.stdout.write(lines.map(line => `${line}\n`).join(''));
      const life = lasts ? lasting(program, process) : program(process);
      return logInterval === undefined || log === undefined
        ? life
        : Promise.race([life, chat(process, lines, logInterval)]);
    };
  };
  const check = (command: string, found: Program | undefined): Program | undefined => {
    const program = image.check === undefined ? found : image.check(command, found);
    if (program === undefined || startDelay === undefined) return program;
    return async process => {
      if (begun) return program(process);
      await process.stderr.write(`not started yet: it is told ${startDelay} ms of start-delay\n`);
      return 1;
    };
  };
  return { ...image, main, check, ...noteOf(image, serves, toldPorts(behaviour, spec)) };
}

function noteOf({ note }: Image, serves: boolean, ports: ReturnType<typeof toldPorts>): Pick<Image, 'note'> {
  if (note === undefined || !serves) return {};
  const named = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(', ');
  return { note: `A simulated program runs as it is told, serving ${named}` };
}

/** Prints one line after the other, again and again, for as long as the process lives. */
async function chat(
  { stdout, container, signal }: Process,
  lines: readonly string[],
  interval: number,
): Promise<never> {
  for (let i = 0; ; i = (i + 1) % lines.length) {
    await stdout.write(`${lines[i] ?? ''}\n`);
    await container.clock.sleep(interval, signal, { unref: true });
  }
}

/** It is told how it ends: what ends by itself before waits for that, unless somebody has asked it to end. */
async function lasting(program: Program, process: Process): Promise<number> {
  let asked = false;
  const code = await program({
    ...process,
    trap: (name, handler) =>
      process.trap(name, () => {
        asked = true;
        handler();
      }),
  });
  return asked ? code : untilStopped(process);
}

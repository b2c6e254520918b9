import { startContainer, type RunningContainer } from '../../src/containers/container.js';
import { captured, inputOf } from '../../src/containers/io.js';
import type { ContainerContext } from '../../src/containers/process.js';
import { containerContext, ENV, imageOf, type Fixture } from './simulated-container.js';

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** A container of a known image that runs what the image runs, unless told otherwise. */
export interface RunningImage {
  readonly container: RunningContainer;
  readonly context: ContainerContext;
  /** As `kubectl exec`. */
  run(command: readonly string[], stdin?: string): Promise<Said>;
  stop(): Promise<void>;
}

export interface ImageFixture extends Omit<Fixture, 'image'> {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

export async function startImage(name: string, fixture: ImageFixture = {}): Promise<RunningImage> {
  const image = imageOf(name);
  const context = containerContext({ ...fixture, image: name, files: { ...image.files, ...fixture.files } });
  const container = await startContainer({
    context,
    image,
    command: fixture.command,
    args: fixture.args,
    env: { ...ENV, ...image.env, ...fixture.env },
    workingDir: image.workingDir ?? '/',
    stdin: false,
    stdinOnce: false,
    tty: false,
  });
  return {
    container,
    context,
    async run(command, stdin) {
      const stdout = captured();
      const stderr = captured();
      const { signal } = new AbortController();
      const input = stdin === undefined ? {} : { stdin: inputOf(stdin) };
      const exit = await container.exec(command, { stdout, stderr, tty: false, signal, ...input });
      return { stdout: stdout.text(), stderr: stderr.text(), exit };
    },
    async stop() {
      container.kill('KILL');
      await container.exited;
    },
  };
}

/** What a container says and how it ends, where it ends by itself. */
export async function runImage(name: string, fixture: ImageFixture = {}): Promise<{ exit: number; logs: string }> {
  const { container } = await startImage(name, fixture);
  const exit = await container.exited;
  return { exit, logs: container.logs.tail(100, 64 * 1024) };
}

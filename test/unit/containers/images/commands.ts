import t from 'tap';
import { startImage, type ImageFixture } from '../../../support/running-image.js';
import { until } from '../../../support/until.js';

/** A command in a shell of the image, and what comes of it. */
export interface Row {
  readonly run: string;
  readonly stdin?: string;
  /** All of it, or what it has to match. Default: nothing. */
  readonly stdout?: string | RegExp;
  readonly stderr?: RegExp;
  /** Default: 0. */
  readonly exit?: number;
}

/** An image that serves, and what its commands say one after the other. */
export interface Case extends ImageFixture {
  readonly name?: string;
  readonly image: string;
  /** Exits with 0 once it serves. */
  readonly ready: string;
  readonly rows: readonly Row[];
}

// Modules are loaded when a program is first called, which takes a busy machine its time.
t.setTimeout(180_000);

export function testCommands(cases: readonly Case[]): void {
  for (const { name, image, ready, rows, ...fixture } of cases)
    t.test(name ?? image, async t => {
      const running = await startImage(image, fixture);
      t.teardown(() => running.stop());
      await until(`${image} is ready: ${ready}`, async () => (await running.run(['sh', '-c', ready])).exit === 0);
      for (const { run, stdin, stdout = '', stderr, exit = 0 } of rows) {
        const said = await running.run(['sh', '-c', run], stdin);
        if (typeof stdout === 'string') t.equal(said.stdout, stdout, `${run}: stdout`);
        else t.match(said.stdout, stdout, `${run}: stdout`);
        if (stderr !== undefined) t.match(said.stderr, stderr, `${run}: stderr`);
        t.equal(said.exit, exit, `${run}: exit status; stderr: ${said.stderr}`);
      }
    });
}

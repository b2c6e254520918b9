import { realClock } from '../../machinery/clock.js';
import { runSteps } from './incremental.js';
import { buildSteps } from './steps.js';

/** Builds what has changed since the last time, and says what it does; nothing when there is nothing to do. */
const root = process.cwd();
try {
  await runSteps(buildSteps(root), {
    root,
    stateFile: 'build/state.json',
    clock: realClock,
    write: text => process.stderr.write(text),
  });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

import { realClock } from '../machinery/clock.js';
import { logFile, loggedComponents, printLog } from './clusters/logs.js';
import { clusters } from './clusters/registry.js';
import { formatList, formatStatus, statusOf } from './clusters/status.js';
import { deleteCluster, stopCluster, titleOf } from './clusters/stop.js';
import { whichCluster, type Flags } from './clusters/which.js';
import { fail, signalOnTermination } from './process.js';

const say = (text: string): void => void process.stdout.write(text);

async function run(command: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fail(command, error);
  }
}

export const runDown = (flags: Flags): Promise<void> =>
  run('down', async () => {
    const which = whichCluster(flags);
    const ran = await stopCluster(which, realClock);
    say(ran ? `${titleOf(which)} is stopped; its state is kept\n` : `${titleOf(which)} does not run\n`);
  });

export const runDelete = (flags: Flags): Promise<void> =>
  run('delete', async () => {
    const which = whichCluster(flags);
    await deleteCluster(which, realClock);
    say(`${titleOf(which)} is deleted\n`);
  });

/** Exit code 0: it runs. */
export const runStatus = (flags: Flags): Promise<void> =>
  run('status', async () => {
    const status = await statusOf(whichCluster(flags), realClock);
    say(flags['json'] === true ? `${JSON.stringify(status, undefined, 2)}\n` : formatStatus(status, realClock.now()));
    if (status.state !== 'running') process.exitCode = 1;
  });

export const runList = (flags: Flags): Promise<void> =>
  run('list', async () => {
    const all = await Promise.all((await clusters()).map(which => statusOf(which, realClock)));
    say(flags['json'] === true ? `${JSON.stringify(all, undefined, 2)}\n` : formatList(all));
  });

export const runLogs = (component: string | undefined, flags: Flags): Promise<void> =>
  run('logs', async () => {
    const { dataDir } = whichCluster(flags);
    const known = await loggedComponents(dataDir);
    if (component !== undefined && !known.includes(component))
      throw new Error(
        known.length === 0
          ? `nothing has been said in ${dataDir}`
          : `${JSON.stringify(component)} has said nothing; there is ${known.join(', ')}`,
      );
    const chosen = component === undefined ? known : [component];
    const signal = signalOnTermination();
    const follow = flags['follow'] === true;
    await Promise.all(
      chosen.map(name => printLog(logFile(dataDir, name), { clock: realClock, follow, signal, write: say })),
    );
  });

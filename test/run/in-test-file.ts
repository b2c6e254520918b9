import { isMainThread } from 'node:worker_threads';
import { tellAtEnd } from './cpu-time.js';

/** What the process of a test file imports before it. The runner reads there (test-file.ts). Its threads import it, too; what it forks would. */
if (isMainThread) {
  process.execArgv.length = 0;
  tellAtEnd(3);
}
